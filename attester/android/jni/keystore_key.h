// touchmark.sdk.KeystoreKey as a key provider of the C interface.
#pragma once

#include <jni.h>

#include "attester/include/touchmark.h"

namespace touchmark::jni {

// Its functions may be called on any thread; those that the JVM does not know yet are attached.
class KeystoreKey {
 public:
  // Once, when the library loads; false, with a Java exception, when the class lacks a method.
  static bool find_methods(JNIEnv* env);

  // `key`: a touchmark.sdk.KeystoreKey.
  KeystoreKey(JNIEnv* env, jobject key);
  ~KeystoreKey();
  KeystoreKey(const KeystoreKey&) = delete;
  KeystoreKey& operator=(const KeystoreKey&) = delete;

  // Valid as long as this.
  const touchmark_key_provider& provider() const { return provider_; }

 private:
  touchmark_key_status load(const char* account, touchmark_bytes* spki) const;
  touchmark_key_status make(const char* account, const uint8_t* challenge, size_t size,
                            touchmark_bytes* spki) const;
  touchmark_key_status sign(const uint8_t* data, size_t size, touchmark_bytes* signature) const;
  touchmark_key_status evidence(const touchmark_evidence_request& request,
                                touchmark_bytes* json) const;

  static const KeystoreKey& self(void* context);

  JavaVM* vm_ = nullptr;
  jobject key_ = nullptr;  // a global reference
  touchmark_key_provider provider_{};
};

}  // namespace touchmark::jni
