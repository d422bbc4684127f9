#include "CCurl.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// libcurl and the thirty libraries behind it are loaded when something is fetched: no other verb
// waits for them, and weir starts where they are not installed.
typedef struct {
  CURLcode (*global_init)(long);
  CURL *(*easy_init)(void);
  CURLcode (*easy_setopt)(CURL *, CURLoption, ...);
  CURLcode (*easy_perform)(CURL *);
  CURLcode (*easy_getinfo)(CURL *, CURLINFO, ...);
  void (*easy_cleanup)(CURL *);
  const char *(*easy_strerror)(CURLcode);
} curl_functions;

// The macros of curl.h that check argument types name the functions themselves.
#undef curl_easy_setopt
#undef curl_easy_getinfo

static int load(curl_functions *functions) {
  void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) return -1;
  *(void **)&functions->global_init = dlsym(library, "curl_global_init");
  *(void **)&functions->easy_init = dlsym(library, "curl_easy_init");
  *(void **)&functions->easy_setopt = dlsym(library, "curl_easy_setopt");
  *(void **)&functions->easy_perform = dlsym(library, "curl_easy_perform");
  *(void **)&functions->easy_getinfo = dlsym(library, "curl_easy_getinfo");
  *(void **)&functions->easy_cleanup = dlsym(library, "curl_easy_cleanup");
  *(void **)&functions->easy_strerror = dlsym(library, "curl_easy_strerror");
  return functions->global_init && functions->easy_init && functions->easy_setopt &&
                 functions->easy_perform && functions->easy_getinfo && functions->easy_cleanup &&
                 functions->easy_strerror
             ? 0
             : -1;
}

typedef struct {
  curl_door_reply *reply;
  size_t limit;
  size_t room;
} body;

static size_t keep(char *bytes, size_t size, size_t number, void *context) {
  body *body = context;
  curl_door_reply *reply = body->reply;
  size_t count = size * number;
  if (count > body->limit - reply->count) {
    reply->is_too_long = 1;
    return 0;
  }
  if (reply->count + count > body->room) {
    size_t room = body->room * 2 + count + 4096;
    if (room > body->limit) room = body->limit;
    unsigned char *grown = realloc(reply->bytes, room);
    if (grown == NULL) return 0;
    reply->bytes = grown;
    body->room = room;
  }
  memcpy(reply->bytes + reply->count, bytes, count);
  reply->count += count;
  return count;
}

int curl_door_fetch(const curl_door_request *request, curl_door_reply *reply) {
  curl_functions curl;
  memset(reply, 0, sizeof *reply);
  if (load(&curl) != 0) {
    snprintf(reply->problem, sizeof reply->problem,
             "libcurl is not installed (Debian calls it libcurl4)");
    return -1;
  }
  CURL *handle = curl.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? curl.easy_init() : NULL;
  if (handle == NULL) {
    snprintf(reply->problem, sizeof reply->problem, "libcurl does not start");
    return -1;
  }
  char words[CURL_ERROR_SIZE] = "";
  body body = {reply, request->limit_bytes, 0};
  CURLcode code = CURLE_OK;
#define SET(option, value) \
  if (code == CURLE_OK) code = curl.easy_setopt(handle, option, value)
  SET(CURLOPT_ERRORBUFFER, words);
  SET(CURLOPT_URL, request->url);
  SET(CURLOPT_PROTOCOLS_STR, request->schemes);
  SET(CURLOPT_REDIR_PROTOCOLS_STR, "https");
  SET(CURLOPT_FOLLOWLOCATION, 1L);
  SET(CURLOPT_MAXREDIRS, 5L);
  SET(CURLOPT_FAILONERROR, 1L);
  SET(CURLOPT_NOSIGNAL, 1L);
  SET(CURLOPT_CONNECTTIMEOUT, request->timeout_seconds < 10 ? request->timeout_seconds : 10L);
  SET(CURLOPT_TIMEOUT, request->timeout_seconds);
  SET(CURLOPT_ACCEPT_ENCODING, "");
  SET(CURLOPT_USERAGENT, "weir");
  SET(CURLOPT_WRITEFUNCTION, keep);
  SET(CURLOPT_WRITEDATA, &body);
  if (request->authorities != NULL) SET(CURLOPT_CAINFO, request->authorities);
#undef SET
  if (code == CURLE_OK) code = curl.easy_perform(handle);
  curl.easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &reply->status);
  if (code != CURLE_OK) {
    snprintf(reply->problem, sizeof reply->problem, "%s",
             words[0] != 0 ? words : curl.easy_strerror(code));
  }
  curl.easy_cleanup(handle);
  return code == CURLE_OK ? 0 : -1;
}
