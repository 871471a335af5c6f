// touchmark.sdk.NativeCore over the C ABI. Nothing is decided here: arguments are converted,
// the C function is called, the answer is converted back. No C++ exception leaves a method, and
// none goes on with a Java exception pending.
#include <jni.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "attester/android/jni/keystore_key.h"
#include "attester/android/jni/process_view.h"
#include "attester/include/touchmark.h"
#include "base/bytes.h"
#include "base/json.h"
#include "base/utf.h"

using touchmark::jni::KeystoreKey;
using touchmark::jni::ProcessView;

namespace {

// Global references; they live as long as the library.
struct JavaClasses {
  jclass result = nullptr;
  jmethodID make_result = nullptr;
  jclass exception = nullptr;
  jmethodID make_exception = nullptr;
};
JavaClasses& java() {
  static JavaClasses classes;
  return classes;
}

// Thrown when Java has thrown: the exception is pending, and goes on in Java.
struct JavaException {};

void check_java(JNIEnv* env) {
  if (env->ExceptionCheck() != JNI_FALSE) throw JavaException();
}

// NUL as the JVM's own UTF-8 has it, in two bytes: what takes C strings must not read half a host.
void append_utf8(std::string& out, std::uint32_t c) {
  const auto put = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (c > 0 && c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xc0 | (c >> 6));
    put(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    put(0xe0 | (c >> 12));
    put(0x80 | ((c >> 6) & 0x3f));
    put(0x80 | (c & 0x3f));
  } else {
    put(0xf0 | (c >> 18));
    put(0x80 | ((c >> 12) & 0x3f));
    put(0x80 | ((c >> 6) & 0x3f));
    put(0x80 | (c & 0x3f));
  }
}

// A Java string as UTF-8; nullopt for null. JNI's own "modified UTF-8" would spell characters
// beyond the basic plane differently, and with them the hash of a bound value.
std::optional<std::string> to_utf8(JNIEnv* env, jstring text) {
  if (text == nullptr) return std::nullopt;
  const jsize length = env->GetStringLength(text);
  std::vector<jchar> units(static_cast<std::size_t>(length));
  env->GetStringRegion(text, 0, length, units.data());
  std::string out;
  out.reserve(units.size());
  for (std::size_t i = 0; i < units.size(); ++i) {
    std::uint32_t c = units[i];
    const bool high = c >= 0xd800 && c < 0xdc00;
    if (high && i + 1 < units.size() && (units[i + 1] & 0xfc00) == 0xdc00) {
      c = 0x10000 + ((c - 0xd800) << 10) + (units[++i] - 0xdc00U);
    } else if (c >= 0xd800 && c < 0xe000) {
      c = '?';  // as String.getBytes does for half a pair
    }
    append_utf8(out, c);
  }
  return out;
}
const char* c_str(const std::optional<std::string>& text) { return text ? text->c_str() : nullptr; }

jstring to_java(JNIEnv* env, const char* text) {
  if (text == nullptr) return nullptr;
  // Not NewStringUTF(): messages quote URLs, and the JVM's own UTF-8 is another beyond the basic
  // plane.
  const std::u16string units = touchmark::to_utf16(text);
  jstring out = env->NewString(reinterpret_cast<const jchar*>(units.data()),
                               static_cast<jsize>(units.size()));
  check_java(env);
  return out;
}

touchmark_client* client_of(jlong handle) { return reinterpret_cast<touchmark_client*>(handle); }

void throw_exception(JNIEnv* env, touchmark_status status, const char* message) {
  jobject exception =
      env->NewObject(java().exception, java().make_exception, static_cast<jint>(status),
                     to_java(env, message == nullptr ? touchmark_status_text(status) : message));
  if (exception != nullptr) env->Throw(static_cast<jthrowable>(exception));
}

// Runs the work of a native method. What C++ throws becomes a TouchmarkException, since nothing may
// unwind into the JVM; `otherwise` is what Java gets beside it and never sees.
template <class Answer, class Work>
Answer guarded(JNIEnv* env, Answer otherwise, const Work& work) noexcept {
  try {
    try {
      return work();
    } catch (const JavaException&) {
      return otherwise;
    } catch (const std::exception& failure) {
      throw_exception(env, TOUCHMARK_INTERNAL, failure.what());
    }
  } catch (...) {
    // Java's own, for want of memory.
  }
  return otherwise;
}

// [name, value, name, value, ...] as the JSON object of touchmark_options.platform_json.
std::string facts_json(JNIEnv* env, jobjectArray facts) {
  touchmark::Json object = touchmark::Json::object();
  const jsize count = facts == nullptr ? 0 : env->GetArrayLength(facts);
  const auto text_at = [&](jsize i) {
    auto* text = static_cast<jstring>(env->GetObjectArrayElement(facts, i));
    std::string out = to_utf8(env, text).value_or("");
    env->DeleteLocalRef(text);
    return out;
  };
  for (jsize i = 0; i + 1 < count; i += 2) {
    const std::string name = text_at(i);
    const std::string value = text_at(i + 1);
    if (name == "api_level") {
      object[name] = std::strtol(value.c_str(), nullptr, 10);
    } else {
      object[name] = value;
    }
  }
  return touchmark::dump_json(object);
}

jlong open(JNIEnv* env, jclass, jstring config, jstring storage_dir, jstring package_path,
           jstring package_name, jobjectArray facts, jobject key) {
  return guarded(env, jlong{0}, [&]() -> jlong {
    const auto config_text = to_utf8(env, config);
    const auto storage_text = to_utf8(env, storage_dir);
    const auto path_text = to_utf8(env, package_path);
    const auto name_text = to_utf8(env, package_name);
    const std::string platform = facts_json(env, facts);
    touchmark_options options{};
    options.size = sizeof options;
    options.config = c_str(config_text);
    options.storage_dir = c_str(storage_text);
    options.package_path = c_str(path_text);
    options.package_name = c_str(name_text);
    options.platform_json = platform.c_str();
    options.sdk_platform = "Android";
    auto keystore = std::make_unique<KeystoreKey>(env, key);
    options.key_provider = &keystore->provider();
    auto view = std::make_unique<ProcessView>(env);
    options.observer = &view->observer();
    touchmark_client* client = nullptr;
    const char* message = nullptr;
    const touchmark_status status = touchmark_open(&options, &client, &message);
    if (status != TOUCHMARK_OK) {
      throw_exception(env, status, message);
      return 0;
    }
    // Java never closes a client: all three live until the process ends.
    static_cast<void>(keystore.release());
    static_cast<void>(view.release());
    return reinterpret_cast<jlong>(client);
  });
}

struct ResultFree {
  void operator()(touchmark_result* result) const { touchmark_result_free(result); }
};

jobject make_result(JNIEnv* env, const touchmark_result& result) {
  jobject object = env->NewObject(
      java().result, java().make_result, static_cast<jint>(result.status),
      to_java(env, result.token), to_java(env, result.header), to_java(env, result.prefix),
      to_java(env, result.arc), to_java(env, result.message),
      static_cast<jboolean>(result.config_changed != 0), static_cast<jlong>(result.expires_in));
  check_java(env);
  return object;
}

jobject fetch_token(JNIEnv* env, jclass, jlong handle, jstring url, jstring binding) {
  return guarded(env, jobject{}, [&] {
    touchmark_result result{};
    const std::unique_ptr<touchmark_result, ResultFree> owner(&result);
    try {
      const auto url_text = to_utf8(env, url);
      const auto binding_text = to_utf8(env, binding);
      touchmark_fetch_token(client_of(handle), c_str(url_text), c_str(binding_text), &result);
    } catch (const std::exception&) {
      result.status = TOUCHMARK_INTERNAL;  // a fetch has a result, whatever happens
    }
    return make_result(env, result);
  });
}

void discard_tokens(JNIEnv*, jclass, jlong handle) { touchmark_discard_tokens(client_of(handle)); }

void set_package_path(JNIEnv* env, jclass, jlong handle, jstring path) {
  guarded(env, 0, [&] {
    const auto path_text = to_utf8(env, path);
    touchmark_set_package_path(client_of(handle), c_str(path_text));
    return 0;
  });
}

// byte[][] of DER certificates; nullopt when one is null.
std::optional<std::vector<touchmark::Bytes>> certificates_of(JNIEnv* env, jobjectArray chain) {
  std::vector<touchmark::Bytes> out;
  const jsize count = chain == nullptr ? 0 : env->GetArrayLength(chain);
  for (jsize i = 0; i < count; ++i) {
    auto* encoded = static_cast<jbyteArray>(env->GetObjectArrayElement(chain, i));
    if (encoded == nullptr) return std::nullopt;
    touchmark::Bytes& bytes = out.emplace_back(env->GetArrayLength(encoded));
    env->GetByteArrayRegion(encoded, 0, static_cast<jsize>(bytes.size()),
                            reinterpret_cast<jbyte*>(bytes.data()));
    env->DeleteLocalRef(encoded);
    check_java(env);
  }
  return out;
}

jboolean pin_allows(JNIEnv* env, jclass, jlong handle, jstring host, jobjectArray chain) {
  return guarded(env, jboolean{JNI_FALSE}, [&]() -> jboolean {
    const auto host_text = to_utf8(env, host);
    const auto certificates = certificates_of(env, chain);
    if (!certificates) return JNI_FALSE;
    std::vector<const void*> encoded;
    std::vector<std::size_t> sizes;
    for (const touchmark::Bytes& certificate : *certificates) {
      encoded.push_back(certificate.data());
      sizes.push_back(certificate.size());
    }
    std::vector<std::array<std::uint8_t, 32>> pins(encoded.size());
    auto* first = reinterpret_cast<std::uint8_t(*)[32]>(pins.data());
    const std::size_t count =
        touchmark_chain_pins(encoded.data(), sizes.data(), encoded.size(), first);
    return touchmark_pin_allows(client_of(handle), c_str(host_text), first, count) != 0;
  });
}

jboolean is_protected(JNIEnv* env, jclass, jlong handle, jstring host) {
  return guarded(env, jboolean{JNI_FALSE}, [&]() -> jboolean {
    const auto host_text = to_utf8(env, host);
    return touchmark_is_protected(client_of(handle), c_str(host_text)) != 0;
  });
}

jboolean same_host(JNIEnv* env, jclass, jstring url, jstring other) {
  return guarded(env, jboolean{JNI_FALSE}, [&]() -> jboolean {
    const auto url_text = to_utf8(env, url);
    const auto other_text = to_utf8(env, other);
    return touchmark_same_host(c_str(url_text), c_str(other_text)) != 0;
  });
}

jstring device_id(JNIEnv* env, jclass, jlong handle) {
  return guarded(env, jstring{},
                 [&] { return to_java(env, touchmark_device_id(client_of(handle))); });
}

jlong config_version(JNIEnv*, jclass, jlong handle) {
  return touchmark_config_version(client_of(handle));
}

jstring version(JNIEnv* env, jclass) {
  return guarded(env, jstring{}, [&] { return to_java(env, touchmark_version()); });
}

template <class Function>
JNINativeMethod method(const char* name, const char* signature, Function* function) {
  // JNI declares the names without const; it does not write to them.
  return {const_cast<char*>(name), const_cast<char*>(signature), reinterpret_cast<void*>(function)};
}

jclass global_class(JNIEnv* env, const char* name) {
  jclass local = env->FindClass(name);
  return local == nullptr ? nullptr : static_cast<jclass>(env->NewGlobalRef(local));
}

bool find_classes(JNIEnv* env) {
  JavaClasses& classes = java();
  classes.result = global_class(env, "touchmark/sdk/TokenFetchResult");
  classes.exception = global_class(env, "touchmark/sdk/TouchmarkException");
  if (classes.result == nullptr || classes.exception == nullptr) return false;
  classes.make_result = env->GetMethodID(classes.result, "<init>",
                                         "(ILjava/lang/String;Ljava/lang/String;Ljava/lang/String;"
                                         "Ljava/lang/String;Ljava/lang/String;ZJ)V");
  classes.make_exception = env->GetMethodID(classes.exception, "<init>", "(ILjava/lang/String;)V");
  return classes.make_result != nullptr && classes.make_exception != nullptr;
}

}  // namespace

extern "C" JNIEXPORT jint JNICALL JNI_OnLoad(JavaVM* vm, void*) {
  JNIEnv* env = nullptr;
  if (vm->GetEnv(reinterpret_cast<void**>(&env), JNI_VERSION_1_6) != JNI_OK) return JNI_ERR;
  jclass core = env->FindClass("touchmark/sdk/NativeCore");
  if (core == nullptr || !find_classes(env) || !KeystoreKey::find_methods(env)) return JNI_ERR;
  const std::array methods{
      method("open",
             "(Ljava/lang/String;Ljava/lang/String;Ljava/lang/String;Ljava/lang/String;"
             "[Ljava/lang/String;Ltouchmark/sdk/KeystoreKey;)J",
             open),
      method("fetchToken",
             "(JLjava/lang/String;Ljava/lang/String;)Ltouchmark/sdk/TokenFetchResult;",
             fetch_token),
      method("discardTokens", "(J)V", discard_tokens),
      method("setPackagePath", "(JLjava/lang/String;)V", set_package_path),
      method("pinAllows", "(JLjava/lang/String;[[B)Z", pin_allows),
      method("isProtected", "(JLjava/lang/String;)Z", is_protected),
      method("sameHost", "(Ljava/lang/String;Ljava/lang/String;)Z", same_host),
      method("deviceId", "(J)Ljava/lang/String;", device_id),
      method("configVersion", "(J)J", config_version),
      method("version", "()Ljava/lang/String;", version),
  };
  const jint count = static_cast<jint>(methods.size());
  if (env->RegisterNatives(core, methods.data(), count) != JNI_OK) return JNI_ERR;
  return ProcessView::prepare(env, methods) ? JNI_VERSION_1_6 : JNI_ERR;
}
