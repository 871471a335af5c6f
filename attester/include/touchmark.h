/* The C interface of Touchmark's SDK core. Every language binding stands on it.
 *
 * Conventions: strings are UTF-8 and NUL-terminated; a struct that the caller fills begins with its
 * own size, so that it can grow; what the library returns in a touchmark_result is freed with
 * touchmark_result_free; a NULL for a pointer that is not marked optional gives
 * TOUCHMARK_INVALID_ARGUMENT. All functions may be called from any thread; touchmark_close waits
 * for running fetches. Nothing throws or unwinds through this interface. */
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
 * valid until this thread's next call, or NULL. */
TOUCHMARK_API touchmark_status touchmark_open(const touchmark_options* options,
                                              touchmark_client** client, const char** message);
TOUCHMARK_API void touchmark_close(touchmark_client* client);

/* Fetches a token for `url` (https://host[:port]/...), from the cache while it is fresh. Blocks.
 * `binding` (optional) is the value to bind the token to (claim `pay`); empty means none. */
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
/* Forgets the cached tokens: the next fetch attests afresh. For an app whose request was refused
 * although it carried a token. NULL is ignored. */
TOUCHMARK_API void touchmark_discard_tokens(touchmark_client* client);

/* Pinning of the app's own connections. `host` is "host" or "host:port". `spki_sha256` are the
 * chain's SHA-256 digests of DER SubjectPublicKeyInfo, leaf first, 32 bytes each.
 * Returns 1 to go on, 0 to refuse. A host that is not configured is not pinned: 1. */
TOUCHMARK_API int touchmark_pin_allows(touchmark_client* client, const char* host,
                                       const uint8_t (*spki_sha256)[32], size_t count);
/* 1 when the configuration names this host as a protected API. */
TOUCHMARK_API int touchmark_is_protected(touchmark_client* client, const char* host);

/* The device id (base64 of 16 bytes); valid until close. */
TOUCHMARK_API const char* touchmark_device_id(touchmark_client* client);
TOUCHMARK_API int64_t touchmark_config_version(touchmark_client* client);
TOUCHMARK_API const char* touchmark_status_text(touchmark_status status);
TOUCHMARK_API const char* touchmark_version(void);

#ifdef __cplusplus
}
#endif
#endif
