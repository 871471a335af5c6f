/* The check of a token for API servers, for languages that call C. The contract is
 * protocol/token-check.md.
 *
 * Conventions: a function that can fail returns NULL and writes one line for people, with a NUL at
 * its end, into `error`. Texts that go in are counted, and need no NUL; those that come out are
 * constants of the library. A guard is for all threads of a process; touchmark_guard_free() comes
 * after the last check. Nothing is thrown, and no signal handler is installed. */
#ifndef TOUCHMARK_CHECK_H
#define TOUCHMARK_CHECK_H

#include <stddef.h>

#if defined(__GNUC__)
#define TOUCHMARK_CHECK_API __attribute__((visibility("default")))
#else
#define TOUCHMARK_CHECK_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef struct touchmark_guard touchmark_guard;

typedef struct {
  const char* data;
  size_t size;
} touchmark_text;

/* A setting by its name ("TOUCHMARK_SECRET"), or a header of a request. */
typedef struct {
  touchmark_text name;
  touchmark_text value;
} touchmark_pair;

typedef struct {
  touchmark_text method;
  touchmark_text client; /* its address as text; empty: unknown */
  const touchmark_pair* headers;
  size_t header_count;
} touchmark_request;

/* What a route asks for beyond the settings. NULL: as they say. */
typedef struct {
  const char* pattern;         /* of its path, for the counts */
  const char* mode;            /* "enforce", "report", "off" */
  const char* percent;         /* "10" */
  const char* level;           /* "tee" */
  const char* binding_headers; /* "Authorization,X-Session" */
  const char* single_use;      /* "yes", "no" */
} touchmark_route;

typedef struct {
  int allowed;        /* serve it; else answer 401 with {} and the headers of the contract */
  int enforced;       /* whether such a request is refused where it has to be */
  int preflight;      /* serve it without its answer's body */
  const char* status; /* "valid" */
  const char* reason; /* "ok" */
  const char* maker;  /* "touchmark", "approov", "firebase" */
  const char* level;  /* of a valid token; NULL: none */
  char device[129];   /* `did` of a token that the service signed, cut to 128 bytes; "" for none */
  char token_digest[13]; /* for a log; "" where there is no token */
} touchmark_decision;

/* With `settings` NULL: of the environment. */
TOUCHMARK_CHECK_API touchmark_guard* touchmark_guard_new(const touchmark_pair* settings,
                                                         size_t count, char* error,
                                                         size_t error_size);
TOUCHMARK_CHECK_API void touchmark_guard_free(touchmark_guard* guard);

/* The number of a new route, or -1. Before the first check. Route 0 is the settings as they are. */
TOUCHMARK_CHECK_API int touchmark_guard_add_route(touchmark_guard* guard,
                                                  const touchmark_route* route, char* error,
                                                  size_t error_size);

/* Decides, and counts. May wait for a JWKS or for Redis. 0 where there is no such route, and then
 * the request is refused. */
TOUCHMARK_CHECK_API int touchmark_guard_check(touchmark_guard* guard,
                                              const touchmark_request* request, int route,
                                              touchmark_decision* decision);

/* touchmark_requests_total in Prometheus's text form, with a NUL at its end, as much as there is
 * room for. Gives how long the whole is, without the NUL. */
TOUCHMARK_CHECK_API size_t touchmark_guard_metrics(touchmark_guard* guard, char* out, size_t size);

#ifdef __cplusplus
}
#endif

#endif
