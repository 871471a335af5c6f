/* The C interface of Touchmark's SDK core. Every language binding stands on it.
 *
 * Conventions: strings are UTF-8 and NUL-terminated; a struct that the caller fills begins with its
 * own size, so that it can grow; what the library returns in a touchmark_result is freed with
 * touchmark_result_free; a NULL for a pointer that is not marked optional gives
 * TOUCHMARK_INVALID_ARGUMENT. All functions may be called from any thread; touchmark_close waits
 * for running fetches. Nothing throws or unwinds out of this interface, whatever fails inside: an
 * answer is then TOUCHMARK_INTERNAL, 0 or NULL. What an app's own function throws into the library
 * (a key provider's, a touchmark_done) ends there, and counts as that function's failure. */
#ifndef TOUCHMARK_H
#define TOUCHMARK_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TOUCHMARK_API __attribute__((visibility("default")))

/* Values are stable. */
typedef enum touchmark_status {
  TOUCHMARK_OK = 0,
  TOUCHMARK_INVALID_ARGUMENT = 1,
  TOUCHMARK_BAD_CONFIG = 2,    /* the configuration is not signed by its key, or malformed */
  TOUCHMARK_NO_NETWORK = 3,    /* the service cannot be reached */
  TOUCHMARK_POOR_NETWORK = 4,  /* it was reached, but gave no answer in time */
  TOUCHMARK_MITM_DETECTED = 5, /* the service's key is not one of the pins */
  TOUCHMARK_UNKNOWN_URL = 6,   /* the URL's domain is not in the configuration: no token for it */
  TOUCHMARK_SERVICE_ERROR = 7, /* the service answered something that is not the protocol */
  TOUCHMARK_STORAGE = 8,       /* the storage folder cannot be written */
  TOUCHMARK_CLOSED = 9,
  TOUCHMARK_INTERNAL = 10
} touchmark_status;

typedef struct touchmark_client touchmark_client;

/* Where the installation key lives: the platform's key store (Android Keystore, Secure Enclave).
 * Without one, or where it fails, the key is a software key in storage_dir, and evidence says so. A
 * provider that failed is asked again, after a while that doubles from five seconds to a quarter of
 * an hour. touchmark_open asks it nothing. Functions are called by one thread at a time, which may
 * be the library's own; they may block. */
typedef enum touchmark_key_status {
  TOUCHMARK_KEY_OK = 0,
  TOUCHMARK_KEY_NONE = 1,  /* there is no key, or the platform has invalidated it */
  TOUCHMARK_KEY_FAILED = 2 /* the platform cannot now */
} touchmark_key_status;

/* What a function of the provider gives back: filled once with touchmark_bytes_set, which copies.
 */
typedef struct touchmark_bytes touchmark_bytes;
TOUCHMARK_API void touchmark_bytes_set(touchmark_bytes* bytes, const void* data, size_t size);

/* What hardware evidence for one challenge is bound to (protocol/README.md, "Hardware evidence").
 */
typedef struct touchmark_evidence_request {
  size_t size;       /* sizeof(touchmark_evidence_request) */
  int provider_key;  /* 1: the installation key is the provider's, 0: the software key stands in */
  const char* nonce; /* the challenge's, base64url */
  uint8_t app_attest_client_data_hash[32];
  const char* play_integrity_nonce; /* base64url: the nonce of a classic request */
} touchmark_evidence_request;

typedef struct touchmark_key_provider {
  size_t size;      /* sizeof(touchmark_key_provider) */
  void* context;    /* given to each function */
  const char* name; /* "android-keystore", "secure-enclave" */
  /* Finds the key of an earlier run: DER SubjectPublicKeyInfo of an EC key on P-256. A key serves
   * one account of the service, because its statement holds that service's challenge. */
  touchmark_key_status (*load)(void* context, const char* account, touchmark_bytes* spki);
  /* Makes the account's key, in place of any before. The challenge goes into the statement. */
  touchmark_key_status (*make)(void* context, const char* account, const uint8_t* challenge,
                               size_t challenge_size, touchmark_bytes* spki);
  /* ECDSA with SHA-256 over `data` by the key that was loaded or made last: the DER of r and s. */
  touchmark_key_status (*sign)(void* context, const uint8_t* data, size_t size,
                               touchmark_bytes* signature);
  /* The evidence's member `submods`: a JSON object. optional */
  touchmark_key_status (*evidence)(void* context, const touchmark_evidence_request* request,
                                   touchmark_bytes* json);
} touchmark_key_provider;

/* What only the platform's own code can see of the app and the device, asked at each attestation,
 * on the thread that attests. The checks hold it against what the kernel says; none of it is sent.
 * `observe` fills `json` once with an object; any member may be missing, and a text that is no such
 * object counts as an empty one:
 *   {"facts": {"debuggable": 0, "debugger": 0, "vpn": 0, "proxy": 0, "overlaid": 0,
 *              "accessibility_services": 0, "foreign_frames": "", "framework_class": "",
 *              "sensors": ["vendor: name"]},
 *    "machine": {"functions": "7f00", "invoke_functions": "7f00", "api_level": 34,
 *                "methods": [{"name": "fetchToken", "address": "7f00", "modifiers": 264, "native":
 * 1, "registered": "7f00"}]}} Addresses are hexadecimal: of the tables that a JNIEnv and the JavaVM
 * point to, of ART's record of a method, of the function that RegisterNatives was given.
 * attester/checks/observed.h says what each is compared with. */
typedef struct touchmark_observer {
  size_t size;   /* sizeof(touchmark_observer) */
  void* context; /* must outlive the client */
  void (*observe)(void* context, touchmark_bytes* json);
} touchmark_observer;

typedef struct touchmark_options {
  size_t size;              /* sizeof(touchmark_options) */
  const char* config;       /* the initial configuration: a compact JWS */
  const char* storage_dir;  /* private, writable: installation key, newest configuration */
  const char* package_path; /* base APK as the platform names it; compared, not trusted. optional */
  const char* package_name; /* optional */
  /* {"os":"android","api_level":34,"os_version":"14","model":"...","manufacturer":"...",
   * "patch_level":"...","installer":"..."}; optional. Its build_tags, hardware, product and
   * fingerprint are looked at by the checks and not sent. */
  const char* platform_json;
  const char* sdk_platform; /* "Android", "iOS", "Linux"; optional, "Linux" */
  /* Copied, except what its context points to, which must outlive the client. optional */
  const touchmark_key_provider* key_provider;
  const touchmark_observer* observer; /* copied, as the key provider is. optional */
} touchmark_options;

typedef struct touchmark_result {
  touchmark_status status;
  char* token;        /* NULL unless status is TOUCHMARK_OK */
  char* header;       /* name of the header to send it in, "Touchmark-Token" */
  char* prefix;       /* text before the token in that header, often "" */
  char* arc;          /* NULL unless the service's policy reveals it */
  char* message;      /* for logs: what went wrong, never a token; NULL when nothing */
  int config_changed; /* 1 when a newer configuration came with this fetch */
  int64_t expires_in; /* seconds */
} touchmark_result;

/* Opens a client. Takes the stored configuration instead of the given one when it is newer, signed
 * by the same key and of the same account. `message` (optional) receives an explanation that is
 * valid until this thread's next call, or NULL. It waits for neither network, key provider nor
 * disk, and reads one small file: the key is looked for, or made and written, when the first fetch
 * or touchmark_device_id needs it. Where it cannot be written, those fetches are TOUCHMARK_STORAGE,
 * and each tries again. */
TOUCHMARK_API touchmark_status touchmark_open(const touchmark_options* options,
                                              touchmark_client** client, const char** message);
TOUCHMARK_API void touchmark_close(touchmark_client* client);

/* Fetches a token for `url` (https://host[:port]/...), from the cache while it is fresh. Blocks.
 * Scheme, host and port alone are looked at, and what follows them may be any text. A URL that HTTP
 * clients can take for two different hosts (a backslash or "%" in the host, "https:/host") is
 * TOUCHMARK_INVALID_ARGUMENT, so that no token goes to a host that only the library saw.
 * Internationalized names are A-labels (xn--...), in every function that takes a host. `binding`
 * (optional) is the value to bind the token to (claim `pay`); empty means none. */
TOUCHMARK_API touchmark_status touchmark_fetch_token(touchmark_client* client, const char* url,
                                                     const char* binding, touchmark_result* result);
/* The same on the library's own thread. When this returns TOUCHMARK_OK, `done` is called exactly
 * once; its result is valid until it returns, and is not to be freed. `done` must not close the
 * client. */
typedef void (*touchmark_done)(void* context, touchmark_result* result);
TOUCHMARK_API touchmark_status touchmark_fetch_token_async(touchmark_client* client,
                                                           const char* url, const char* binding,
                                                           touchmark_done done, void* context);
TOUCHMARK_API void touchmark_result_free(touchmark_result* result);
/* Forgets the cached tokens: the next fetch attests again. For an app whose request was refused
 * although it carried a token. NULL is ignored. */
TOUCHMARK_API void touchmark_discard_tokens(touchmark_client* client);

/* Says where the platform has the app's package now (touchmark_options.package_path). Android moves
 * an app that runs when it installs a split of it, and the checks then ask for the new place. To be
 * called before a fetch; it costs nothing. NULL is ignored. */
TOUCHMARK_API void touchmark_set_package_path(touchmark_client* client, const char* path);

/* Pinning of the app's own connections. `host` is "host:port", or "host" where the port is not
 * known. `spki_sha256` are SHA-256 digests of DER SubjectPublicKeyInfo, 32 bytes each: of the chain
 * that the platform has evaluated, or what touchmark_chain_pins gives; never of a chain as the peer
 * sent it, which may hold anybody's certificates.
 * Returns 1 to go on, 0 to refuse. A host that is not configured is not pinned: 1. A rule for
 * host:port decides for that port alone, one for the host for all other ports. Without a port, one
 * of the pins of all rules of the host must be met: a rule without pins unpins its own port only.
 */
TOUCHMARK_API int touchmark_pin_allows(touchmark_client* client, const char* host,
                                       const uint8_t (*spki_sha256)[32], size_t count);
/* The pin of a DER certificate, where the platform does not give a key as SubjectPublicKeyInfo: 1
 * when `pin` holds it, 0 when `certificate` is none. */
TOUCHMARK_API int touchmark_certificate_pin(const void* certificate, size_t size, uint8_t pin[32]);
/* The keys that vouch for a peer, of the `count` DER certificates that it sent, its own first: its
 * own, and those of each certificate under which its own has a sound chain (a CA's, within its path
 * length and name constraints, that may sign certificates for servers, valid now, RFC 5280). Writes
 * at most `count` pins and returns how many; 0 when the first is not a certificate. For platforms
 * that do not show the chain that they evaluated; it does not take the place of that evaluation. */
TOUCHMARK_API size_t touchmark_chain_pins(const void* const* certificates, const size_t* sizes,
                                          size_t count, uint8_t (*pins)[32]);
/* 1 when both are https URLs of the same host and port, as touchmark_fetch_token reads them. */
TOUCHMARK_API int touchmark_same_host(const char* url, const char* other);
/* 1 when the configuration names this host as a protected API. */
TOUCHMARK_API int touchmark_is_protected(touchmark_client* client, const char* host);

/* The device id (base64 of 16 bytes); valid until close. "" before the first fetch of an
 * installation whose key the platform makes: the key needs a challenge. Where no key was needed
 * yet, the key provider is asked for that of an earlier run, or a client without a provider finds
 * or makes its software key; this waits as long as it takes, and is "" where that key cannot be
 * kept.
 */
TOUCHMARK_API const char* touchmark_device_id(touchmark_client* client);
TOUCHMARK_API int64_t touchmark_config_version(touchmark_client* client);
TOUCHMARK_API const char* touchmark_status_text(touchmark_status status);
TOUCHMARK_API const char* touchmark_version(void);

#ifdef __cplusplus
}
#endif
#endif
