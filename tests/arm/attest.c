/* A program that attests as an app does: attest LIBRARY CONFIG STORAGE PACKAGE NAME URL COUNT
 * Opens the SDK's library from where the app's installer put it, asks for a new token COUNT times,
 * and prints how often each status came. tests/arm/soak builds and runs it. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attester/include/touchmark.h"

#define FUNCTION(name)                                                  \
  __typeof__(&name) name##_ = (__typeof__(&name))dlsym(library, #name); \
  if (name##_ == NULL) return fail(dlerror())

static int fail(const char* why) {
  fprintf(stderr, "attest: %s\n", why == NULL ? "unknown" : why);
  return 1;
}

static char* read_text(const char* path) {
  char* text = calloc(1, 1 << 16);
  FILE* file = fopen(path, "r");
  if (file == NULL || text == NULL) return NULL;
  const size_t size = fread(text, 1, (1 << 16) - 1, file);
  fclose(file);
  while (strlen(text) > 0 && text[strlen(text) - 1] == '\n') text[strlen(text) - 1] = '\0';
  return size == 0 ? NULL : text;
}

int main(int argc, char** argv) {
  if (argc != 8) return fail("LIBRARY CONFIG STORAGE PACKAGE NAME URL COUNT");
  void* library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) return fail(dlerror());
  FUNCTION(touchmark_open);
  FUNCTION(touchmark_close);
  FUNCTION(touchmark_discard_tokens);
  FUNCTION(touchmark_fetch_token);
  FUNCTION(touchmark_result_free);
  FUNCTION(touchmark_status_text);
  char* config = read_text(argv[2]);
  if (config == NULL) return fail("no configuration");
  touchmark_options options = {0};
  options.size = sizeof options;
  options.config = config;
  options.storage_dir = argv[3];
  options.package_path = argv[4];
  options.package_name = argv[5];
  options.platform_json = "{\"os\":\"linux\",\"model\":\"soak\"}";
  touchmark_client* client = NULL;
  const char* message = NULL;
  if (touchmark_open_(&options, &client, &message) != TOUCHMARK_OK) return fail(message);
  int counts[TOUCHMARK_INTERNAL + 1] = {0};
  for (int left = atoi(argv[7]); left > 0; --left) {
    touchmark_result result;
    touchmark_discard_tokens_(client);
    const touchmark_status status = touchmark_fetch_token_(client, argv[6], NULL, &result);
    if (status != TOUCHMARK_OK && counts[status] == 0 && result.message != NULL) {
      fprintf(stderr, "attest: %s\n", result.message);
    }
    ++counts[status];
    touchmark_result_free_(&result);
  }
  touchmark_close_(client);
  for (int status = 0; status <= TOUCHMARK_INTERNAL; ++status) {
    if (counts[status] > 0) printf("%d %s\n", counts[status], touchmark_status_text_(status));
  }
  free(config);
  return counts[TOUCHMARK_OK] == atoi(argv[7]) ? 0 : 1;
}
