// touchmark.sdk.Surroundings and the virtual machine's own tables as an observer of the C
// interface.
#pragma once

#include <jni.h>

#include <span>

#include "attester/include/touchmark.h"

namespace touchmark::jni {

// May be asked on any thread; those that the JVM does not know yet are attached.
class ProcessView {
 public:
  // Once, when the library loads: the functions that touchmark.sdk.NativeCore's methods were given.
  // False, with a Java exception, when touchmark.sdk.Surroundings lacks a method.
  static bool prepare(JNIEnv* env, std::span<const JNINativeMethod> registered);

  explicit ProcessView(JNIEnv* env);

  // Valid as long as this.
  const touchmark_observer& observer() const { return observer_; }

 private:
  JavaVM* vm_ = nullptr;
  touchmark_observer observer_{};
};

}  // namespace touchmark::jni
