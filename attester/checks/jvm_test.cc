// A Java virtual machine compiles code into executable memory all the time, and maps archives of
// its own. None of that may look like an attack. Runs in its own program, since a machine cannot be
// unloaded.
#include <dlfcn.h>
#include <jni.h>

#include "attester/checks/process_integrity.h"
#include "attester/testing/checks.h"

namespace touchmark::attester::checks {
namespace {

using testing::test_rules;
using testing::text;

JNIEnv* start_machine() {
  void* library = dlopen(JVM_LIBRARY, RTLD_NOW | RTLD_GLOBAL);
  if (library == nullptr) return nullptr;
  const auto create =
      reinterpret_cast<decltype(&JNI_CreateJavaVM)>(dlsym(library, "JNI_CreateJavaVM"));
  std::string compile_all = "-Xcomp";  // so that much is compiled early
  JavaVMOption option{compile_all.data(), nullptr};
  JavaVMInitArgs arguments{JNI_VERSION_1_8, 1, &option, JNI_FALSE};
  JavaVM* machine = nullptr;
  void* env = nullptr;
  if (create(&machine, &env, &arguments) != JNI_OK) return nullptr;
  return static_cast<JNIEnv*>(env);
}

// Loads classes and lets them be compiled and used.
bool work(JNIEnv* env) {
  jclass security = env->FindClass("java/security/Security");
  if (security == nullptr) return false;
  jmethodID providers =
      env->GetStaticMethodID(security, "getProviders", "()[Ljava/security/Provider;");
  auto* list = static_cast<jobjectArray>(env->CallStaticObjectMethod(security, providers));
  return list != nullptr && env->GetArrayLength(list) > 3 && !env->ExceptionCheck();
}

TEST(JvmTest, ShowsNothingButTheMissingPackage) {
  JNIEnv* env = start_machine();
  ASSERT_NE(env, nullptr);
  ASSERT_TRUE(work(env));
  const auto integrity = make_process_integrity({.rules = test_rules(),
                                                 .marks = {},
                                                 .platform_path = {},
                                                 .app = {},
                                                 .observe = {},
                                                 .libraries = list_libraries});
  for (int i = 0; i < 5; ++i) {
    const Inspection inspection = integrity->inspect();
    ASSERT_EQ(inspection.findings.size(), 1U) << text(inspection.findings);
    EXPECT_EQ(inspection.findings[0].id, protocol::FindingId::kAppUnreadable);
    ASSERT_TRUE(work(env));
  }
}

}  // namespace
}  // namespace touchmark::attester::checks
