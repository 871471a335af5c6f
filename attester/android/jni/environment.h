// The JVM's view of a thread.
#pragma once

#include <jni.h>

#include <initializer_list>

namespace touchmark::jni {

// The environment of this thread. One that the JVM does not know (the core's own) is attached until
// it ends. nullptr when it cannot be.
JNIEnv* environment(JavaVM* vm);

// A method of a class, and where its id goes.
struct WantedMethod {
  jmethodID* id;
  const char* name;
  const char* type;
};
enum class MethodKind { kInstance, kStatic };
// False at the first that the class has not got; Java's exception says so then.
bool find_methods(JNIEnv* env, jclass owner, MethodKind kind,
                  std::initializer_list<WantedMethod> wanted);

// Frees the local references of one call: a native thread has no Java frame that would. An
// exception of Java's ends with it: the core learns of it by a status.
class LocalFrame {
 public:
  explicit LocalFrame(JNIEnv* env, jint capacity = 64)
      : env_(env), open_(env->PushLocalFrame(capacity) == JNI_OK) {}
  ~LocalFrame();
  LocalFrame(const LocalFrame&) = delete;
  LocalFrame& operator=(const LocalFrame&) = delete;

 private:
  JNIEnv* env_;
  bool open_;
};

}  // namespace touchmark::jni
