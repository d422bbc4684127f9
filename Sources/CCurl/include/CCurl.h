// One transfer by libcurl, whose options Swift cannot set: they are variadic.
#pragma once

#include <stddef.h>

// What to fetch, and how much of everything at most.
typedef struct {
  const char *url;
  // Schemes as libcurl lists them: "https", or "http,https".
  const char *schemes;
  // A file of certificate authorities instead of the system's; NULL for the system's.
  const char *authorities;
  size_t limit_bytes;
  long timeout_seconds;
} curl_door_request;

// What came. The caller frees `bytes`.
typedef struct {
  unsigned char *bytes;
  size_t count;
  // 1 when the body was longer than the limit.
  int is_too_long;
  // The answer's status; 0 without an answer.
  long status;
  char problem[256];
} curl_door_reply;

// 0 when the body is whole; otherwise `problem` says in words why not.
int curl_door_fetch(const curl_door_request *request, curl_door_reply *reply);
