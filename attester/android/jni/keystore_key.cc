#include "attester/android/jni/keystore_key.h"

#include <cstring>

#include "attester/android/jni/environment.h"
#include "base/encoding.h"
#include "base/json.h"
#include "protocol/messages/evidence.h"

namespace touchmark::jni {
namespace {

struct Methods {
  jmethodID load = nullptr;
  jmethodID make = nullptr;
  jmethodID sign = nullptr;
  jmethodID attestation = nullptr;
  jmethodID play_integrity_token = nullptr;
  jmethodID describe = nullptr;  // Object.toString
};
Methods& methods() {
  static Methods found;
  return found;
}

jbyteArray to_java(JNIEnv* env, const std::uint8_t* data, std::size_t size) {
  const auto length = static_cast<jsize>(size);
  jbyteArray array = env->NewByteArray(length);
  if (array != nullptr) {
    env->SetByteArrayRegion(array, 0, length, reinterpret_cast<const jbyte*>(data));
  }
  return array;
}

Bytes from_java(JNIEnv* env, jobject object) {
  auto* array = static_cast<jbyteArray>(object);
  Bytes out(static_cast<std::size_t>(env->GetArrayLength(array)));
  env->GetByteArrayRegion(array, 0, static_cast<jsize>(out.size()),
                          reinterpret_cast<jbyte*>(out.data()));
  return out;
}

// Takes the exception that Java threw, and says what it is.
void take_exception(JNIEnv* env, touchmark_bytes* text) {
  jthrowable thrown = env->ExceptionOccurred();
  env->ExceptionClear();
  auto* described = static_cast<jstring>(env->CallObjectMethod(thrown, methods().describe));
  if (env->ExceptionCheck() != JNI_FALSE || described == nullptr) return;
  const char* chars = env->GetStringUTFChars(described, nullptr);
  if (chars == nullptr) return;
  touchmark_bytes_set(text, chars, std::strlen(chars));
  env->ReleaseStringUTFChars(described, chars);
}

// Calls a method that gives byte[], null for "there is none", or throws.
// Where an argument could not be made, an exception is pending already.
template <class... Arguments>
touchmark_key_status call_for_bytes(JNIEnv* env, touchmark_bytes* out, jobject object,
                                    jmethodID method, Arguments... arguments) {
  if (env->ExceptionCheck() != JNI_FALSE) {
    take_exception(env, out);
    return TOUCHMARK_KEY_FAILED;
  }
  const jobject result = env->CallObjectMethod(object, method, arguments...);
  if (env->ExceptionCheck() != JNI_FALSE) {
    take_exception(env, out);
    return TOUCHMARK_KEY_FAILED;
  }
  if (result == nullptr) return TOUCHMARK_KEY_NONE;
  const Bytes bytes = from_java(env, result);
  touchmark_bytes_set(out, bytes.data(), bytes.size());
  return TOUCHMARK_KEY_OK;
}

Json chain_of(JNIEnv* env, jobject key) {
  Json chain = Json::array();
  auto* certificates = static_cast<jobjectArray>(env->CallObjectMethod(key, methods().attestation));
  if (env->ExceptionCheck() != JNI_FALSE || certificates == nullptr) {
    env->ExceptionClear();
    return chain;
  }
  const jsize count = env->GetArrayLength(certificates);
  for (jsize i = 0; i < count; ++i) {
    jobject certificate = env->GetObjectArrayElement(certificates, i);
    if (certificate == nullptr) return Json::array();
    chain.push_back(base64_encode(from_java(env, certificate)));
    env->DeleteLocalRef(certificate);
  }
  return chain;
}

// Tokens are ASCII, for which the JVM's own UTF-8 is UTF-8.
std::string play_token_of(JNIEnv* env, jobject key, const char* nonce) {
  jstring nonce_text = env->NewStringUTF(nonce);
  if (nonce_text == nullptr) {
    env->ExceptionClear();
    return {};
  }
  auto* token =
      static_cast<jstring>(env->CallObjectMethod(key, methods().play_integrity_token, nonce_text));
  if (env->ExceptionCheck() != JNI_FALSE || token == nullptr) {
    env->ExceptionClear();
    return {};
  }
  const char* text = env->GetStringUTFChars(token, nullptr);
  if (text == nullptr) {
    env->ExceptionClear();
    return {};
  }
  std::string out(text);
  env->ReleaseStringUTFChars(token, text);
  return out;
}

// The core is C to a provider: what C++ throws in here is a failure of this call.
template <class Call>
touchmark_key_status guarded(const Call& call) noexcept {
  try {
    return call();
  } catch (...) {
    return TOUCHMARK_KEY_FAILED;
  }
}

}  // namespace

bool KeystoreKey::find_methods(JNIEnv* env) {
  jclass found = env->FindClass("touchmark/sdk/KeystoreKey");
  if (found == nullptr) return false;
  Methods& all = methods();
  return jni::find_methods(
      env, found, MethodKind::kInstance,
      {{&all.load, "load", "(Ljava/lang/String;)[B"},
       {&all.make, "make", "(Ljava/lang/String;[B)[B"},
       {&all.sign, "sign", "([B)[B"},
       {&all.attestation, "attestation", "()[[B"},
       {&all.play_integrity_token, "playIntegrityToken", "(Ljava/lang/String;)Ljava/lang/String;"},
       {&all.describe, "toString", "()Ljava/lang/String;"}});
}

const KeystoreKey& KeystoreKey::self(void* context) {
  return *static_cast<const KeystoreKey*>(context);
}

KeystoreKey::KeystoreKey(JNIEnv* env, jobject key) : key_(env->NewGlobalRef(key)) {
  env->GetJavaVM(&vm_);
  provider_.size = sizeof provider_;
  provider_.context = this;
  provider_.name = "android-keystore";
  provider_.load = [](void* context, const char* account, touchmark_bytes* spki) {
    return guarded([&] { return self(context).load(account, spki); });
  };
  provider_.make = [](void* context, const char* account, const uint8_t* challenge, size_t size,
                      touchmark_bytes* spki) {
    return guarded([&] { return self(context).make(account, challenge, size, spki); });
  };
  provider_.sign = [](void* context, const uint8_t* data, size_t size, touchmark_bytes* signature) {
    return guarded([&] { return self(context).sign(data, size, signature); });
  };
  provider_.evidence = [](void* context, const touchmark_evidence_request* request,
                          touchmark_bytes* json) {
    return guarded([&] { return self(context).evidence(*request, json); });
  };
}

KeystoreKey::~KeystoreKey() {
  if (JNIEnv* env = environment(vm_)) env->DeleteGlobalRef(key_);
}

touchmark_key_status KeystoreKey::load(const char* account, touchmark_bytes* spki) const {
  JNIEnv* env = environment(vm_);
  if (env == nullptr) return TOUCHMARK_KEY_FAILED;
  const LocalFrame frame(env);
  return call_for_bytes(env, spki, key_, methods().load, env->NewStringUTF(account));
}

touchmark_key_status KeystoreKey::make(const char* account, const uint8_t* challenge, size_t size,
                                       touchmark_bytes* spki) const {
  JNIEnv* env = environment(vm_);
  if (env == nullptr) return TOUCHMARK_KEY_FAILED;
  const LocalFrame frame(env);
  return call_for_bytes(env, spki, key_, methods().make, env->NewStringUTF(account),
                        to_java(env, challenge, size));
}

touchmark_key_status KeystoreKey::sign(const uint8_t* data, size_t size,
                                       touchmark_bytes* signature) const {
  JNIEnv* env = environment(vm_);
  if (env == nullptr) return TOUCHMARK_KEY_FAILED;
  const LocalFrame frame(env);
  return call_for_bytes(env, signature, key_, methods().sign, to_java(env, data, size));
}

touchmark_key_status KeystoreKey::evidence(const touchmark_evidence_request& request,
                                           touchmark_bytes* json) const {
  JNIEnv* env = environment(vm_);
  if (env == nullptr) return TOUCHMARK_KEY_FAILED;
  const LocalFrame frame(env);
  Json submods = Json::object();
  if (request.provider_key != 0) {
    Json chain = chain_of(env, key_);
    if (!chain.empty())
      submods[std::string(protocol::kAndroidKeySubmod)] = {{"chain", std::move(chain)}};
  }
  const std::string token = play_token_of(env, key_, request.play_integrity_nonce);
  if (!token.empty()) submods[std::string(protocol::kPlayIntegritySubmod)] = {{"token", token}};
  const std::string text = dump_json(submods);
  touchmark_bytes_set(json, text.data(), text.size());
  return TOUCHMARK_KEY_OK;
}

}  // namespace touchmark::jni
