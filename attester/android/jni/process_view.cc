#include "attester/android/jni/process_view.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "attester/android/jni/environment.h"
#include "base/json.h"

namespace touchmark::jni {
namespace {

constexpr std::string_view kCore = "touchmark.sdk.NativeCore.";

struct Known {
  jclass surroundings = nullptr;  // a global reference
  jmethodID facts = nullptr;
  jmethodID methods = nullptr;
  jmethodID method_names = nullptr;
  jmethodID method_modifiers = nullptr;
  std::map<std::string, std::uintptr_t, std::less<>> registered;  // by "NativeCore.<method>"
};
Known& known() {
  static Known all;
  return all;
}

std::string hex_text(std::uintptr_t value) {
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, 16).ptr;
  return {digits.data(), end};
}

template <class Pointer>
std::uintptr_t address_of(Pointer pointer) {
  return reinterpret_cast<std::uintptr_t>(pointer);
}

// Names and numbers; for texts of users the JVM's own UTF-8 would not do.
std::string text_of(JNIEnv* env, jobject object) {
  auto* string = static_cast<jstring>(object);
  const char* chars = string == nullptr ? nullptr : env->GetStringUTFChars(string, nullptr);
  if (chars == nullptr) return {};
  std::string out(chars);
  env->ReleaseStringUTFChars(string, chars);
  return out;
}

std::vector<std::string> texts_of(JNIEnv* env, jobject object) {
  std::vector<std::string> out;
  auto* array = static_cast<jobjectArray>(object);
  const jsize count = array == nullptr ? 0 : env->GetArrayLength(array);
  for (jsize i = 0; i < count; ++i) {
    jobject text = env->GetObjectArrayElement(array, i);
    out.push_back(text_of(env, text));
    env->DeleteLocalRef(text);
  }
  return out;
}

// nullptr, and no exception, when Java throws.
jobject call(JNIEnv* env, jmethodID method) {
  jobject out = env->CallStaticObjectMethod(known().surroundings, method);
  if (env->ExceptionCheck() == JNI_FALSE) return out;
  env->ExceptionClear();
  return nullptr;
}

Json facts_json(JNIEnv* env) {
  Json out = Json::object();
  Json sensors = Json::array();
  const std::vector<std::string> facts = texts_of(env, call(env, known().facts));
  for (std::size_t i = 0; i + 1 < facts.size(); i += 2) {
    const std::string& name = facts[i];
    const std::string& value = facts[i + 1];
    if (name == "sensor") {
      sensors.push_back(value);
    } else if (name == "foreign_frames" || name == "framework_class") {
      out[name] = value;
    } else {
      out[name] = std::strtol(value.c_str(), nullptr, 10);
    }
  }
  out["sensors"] = std::move(sensors);
  return out;
}

// ART's record of a method. For apps that may be debugged ART gives indices in place of addresses,
// from API 30 on: odd numbers (art/runtime/jni/jni_id_manager.h). Other machines' ids are their
// own.
std::uintptr_t record_of([[maybe_unused]] JNIEnv* env, [[maybe_unused]] jobject method) {
#ifdef __ANDROID__
  const std::uintptr_t id = address_of(env->FromReflectedMethod(method));
  return id % 2 == 0 ? id : 0;
#else
  return 0;
#endif
}

Json methods_json(JNIEnv* env) {
  Json out = Json::array();
  auto* methods = static_cast<jobjectArray>(call(env, known().methods));
  const std::vector<std::string> names = texts_of(env, call(env, known().method_names));
  auto* modifiers = static_cast<jintArray>(call(env, known().method_modifiers));
  if (methods == nullptr || modifiers == nullptr) return out;
  std::vector<jint> numbers(static_cast<std::size_t>(env->GetArrayLength(modifiers)));
  env->GetIntArrayRegion(modifiers, 0, static_cast<jsize>(numbers.size()), numbers.data());
  for (std::size_t i = 0; i < names.size() && i < numbers.size(); ++i) {
    jobject method = env->GetObjectArrayElement(methods, static_cast<jsize>(i));
    if (method == nullptr) break;
    const bool own = names[i].starts_with("touchmark.sdk.");
    const auto given = known().registered.find(names[i]);
    const bool registered = given != known().registered.end();
    constexpr jint kNative = 0x100;  // java.lang.reflect.Modifier.NATIVE
    // Which of the platform's methods are native the platform says.
    const bool native = own ? registered : (numbers[i] & kNative) != 0;
    out.push_back({{"name", names[i]},
                   {"address", hex_text(record_of(env, method))},
                   {"modifiers", numbers[i]},
                   {"native", native ? 1 : 0},
                   {"registered", registered ? hex_text(given->second) : ""}});
    env->DeleteLocalRef(method);
  }
  return out;
}

std::string observe(JavaVM* vm) {
  JNIEnv* env = environment(vm);
  if (env == nullptr) return "{}";
  const LocalFrame frame(env);
  Json facts = facts_json(env);
  const std::int64_t level = get_int(facts, "api_level", 0, 1000).value_or(0);
  Json out{{"facts", std::move(facts)},
           {"machine",
            {{"api_level", level},
             {"functions", hex_text(address_of(env->functions))},
             {"invoke_functions", hex_text(address_of(vm->functions))},
             {"methods", methods_json(env)}}}};
  return dump_json(out);
}

}  // namespace

bool ProcessView::prepare(JNIEnv* env, std::span<const JNINativeMethod> registered) {
  Known& all = known();
  jclass found = env->FindClass("touchmark/sdk/Surroundings");
  if (found == nullptr) return false;
  all.surroundings = static_cast<jclass>(env->NewGlobalRef(found));
  if (!find_methods(env, found, MethodKind::kStatic,
                    {{&all.facts, "facts", "()[Ljava/lang/String;"},
                     {&all.methods, "methods", "()[Ljava/lang/Object;"},
                     {&all.method_names, "methodNames", "()[Ljava/lang/String;"},
                     {&all.method_modifiers, "methodModifiers", "()[I"}})) {
    return false;
  }
  for (const JNINativeMethod& method : registered) {
    all.registered[std::string(kCore) + method.name] = address_of(method.fnPtr);
  }
  return true;
}

ProcessView::ProcessView(JNIEnv* env) {
  env->GetJavaVM(&vm_);
  observer_.size = sizeof observer_;
  observer_.context = this;
  observer_.observe = [](void* context, touchmark_bytes* json) {
    const std::string text = observe(static_cast<const ProcessView*>(context)->vm_);
    touchmark_bytes_set(json, text.data(), text.size());
  };
}

}  // namespace touchmark::jni
