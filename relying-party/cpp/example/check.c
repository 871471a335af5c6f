/* Checks one token with the settings of the environment, as an API server checks each request:
 *   cc -I relying-party/cpp/include relying-party/cpp/example/check.c -ltouchmark_check -o check
 *   TOUCHMARK_SECRET=... ./check TOKEN
 * Ends with 0 where the request is served, 1 where it is refused. */
#include <stdio.h>
#include <string.h>

#include "touchmark_check.h"

static touchmark_text text(const char* words) {
  touchmark_text out = {words, strlen(words)};
  return out;
}

int main(int argc, char** argv) {
  char error[256] = "";
  touchmark_guard* guard = touchmark_guard_new(NULL, 0, error, sizeof error);
  if (guard == NULL) {
    fprintf(stderr, "check: %s\n", error);
    return 2;
  }
  touchmark_pair header = {text("Touchmark-Token"), text(argc > 1 ? argv[1] : "")};
  touchmark_request request = {text("GET"), text("192.0.2.1"), &header, 1};
  touchmark_decision decision;
  touchmark_guard_check(guard, &request, 0, &decision);
  printf("%s: %s (%s)%s%s\n", decision.allowed ? "served" : "refused", decision.status,
         decision.reason, decision.device[0] != '\0' ? " for " : "", decision.device);
  touchmark_guard_free(guard);
  return decision.allowed ? 0 : 1;
}
