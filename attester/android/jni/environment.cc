#include "attester/android/jni/environment.h"

namespace touchmark::jni {
namespace {

// Detaches the thread when it ends.
class Attached {
 public:
  ~Attached() {
    if (vm_ != nullptr) vm_->DetachCurrentThread();
  }
  JNIEnv* attach(JavaVM* vm) {
    JNIEnv* env = nullptr;
    JavaVMAttachArgs args{JNI_VERSION_1_6, const_cast<char*>("touchmark"), nullptr};
#ifdef __ANDROID__
    const jint done = vm->AttachCurrentThreadAsDaemon(&env, &args);
#else
    const jint done = vm->AttachCurrentThreadAsDaemon(reinterpret_cast<void**>(&env), &args);
#endif
    if (done != JNI_OK) return nullptr;
    vm_ = vm;
    return env;
  }

 private:
  JavaVM* vm_ = nullptr;
};

}  // namespace

JNIEnv* environment(JavaVM* vm) {
  JNIEnv* env = nullptr;
  if (vm->GetEnv(reinterpret_cast<void**>(&env), JNI_VERSION_1_6) == JNI_OK) return env;
  static thread_local Attached attached;
  return attached.attach(vm);
}

bool find_methods(JNIEnv* env, jclass owner, MethodKind kind,
                  std::initializer_list<WantedMethod> wanted) {
  for (const WantedMethod& method : wanted) {
    *method.id = kind == MethodKind::kStatic
                     ? env->GetStaticMethodID(owner, method.name, method.type)
                     : env->GetMethodID(owner, method.name, method.type);
    if (*method.id == nullptr) return false;
  }
  return true;
}

LocalFrame::~LocalFrame() {
  if (env_->ExceptionCheck() != JNI_FALSE) env_->ExceptionClear();
  if (open_) env_->PopLocalFrame(nullptr);
}

}  // namespace touchmark::jni
