// A library that does nothing: what the tests inject.
extern "C" __attribute__((visibility("default"))) int touchmark_sample() { return 42; }
