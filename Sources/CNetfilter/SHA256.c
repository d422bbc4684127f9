// SHA-256 by the processor's own instructions, where it has them; see weir_sha256.
// Source: FIPS 180-4, section 6.2, and Intel's description of the SHA extensions.

#include "CNetfilter.h"

#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

static const uint32_t constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static int has_instructions(void) {
  unsigned a, b, c, d;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(b & 1u << 29)) return 0; /* SHA */
  return __get_cpuid(1, &a, &b, &c, &d) && (c & 1u << 19) && (c & 1u << 9);  /* SSE4.1, SSSE3 */
}

/* The eight words as the instructions want them: a b e f and c d g h, highest first. */
__attribute__((target("sha,sse4.1,ssse3"))) static void
add_blocks(uint32_t state[8], const uint8_t *bytes, size_t blocks) {
  const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  __m128i abcd = _mm_loadu_si128((const __m128i *)state);
  __m128i efgh = _mm_loadu_si128((const __m128i *)(state + 4));
  abcd = _mm_shuffle_epi32(abcd, 0xb1);
  efgh = _mm_shuffle_epi32(efgh, 0x1b);
  __m128i abef = _mm_alignr_epi8(abcd, efgh, 8);
  __m128i cdgh = _mm_blend_epi16(efgh, abcd, 0xf0);

  for (; blocks > 0; blocks--, bytes += 64) {
    const __m128i abef_before = abef, cdgh_before = cdgh;
    __m128i words[4]; /* the last sixteen of the schedule */
    for (int i = 0; i < 4; i++) {
      __m128i loaded = _mm_loadu_si128((const __m128i *)(bytes + 16 * i));
      words[i] = _mm_shuffle_epi8(loaded, big_endian);
    }
#pragma GCC unroll 16
    for (int round = 0; round < 16; round++) {
      if (round >= 4) {
        __m128i older = _mm_sha256msg1_epu32(words[round & 3], words[(round + 1) & 3]);
        __m128i seventh = _mm_alignr_epi8(words[(round + 3) & 3], words[(round + 2) & 3], 4);
        words[round & 3] =
            _mm_sha256msg2_epu32(_mm_add_epi32(older, seventh), words[(round + 3) & 3]);
      }
      __m128i added = _mm_add_epi32(
          words[round & 3], _mm_loadu_si128((const __m128i *)(constants + 4 * round)));
      cdgh = _mm_sha256rnds2_epu32(cdgh, abef, added);
      abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(added, 0x0e));
    }
    abef = _mm_add_epi32(abef, abef_before);
    cdgh = _mm_add_epi32(cdgh, cdgh_before);
  }

  __m128i feba = _mm_shuffle_epi32(abef, 0x1b);
  __m128i dchg = _mm_shuffle_epi32(cdgh, 0xb1);
  _mm_storeu_si128((__m128i *)state, _mm_blend_epi16(feba, dchg, 0xf0));
  _mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

int weir_sha256(const uint8_t *bytes, size_t count, uint32_t digest[8]) {
  static const uint32_t start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  if (!has_instructions()) return 0;
  memcpy(digest, start, sizeof start);
  add_blocks(digest, bytes, count / 64);
  uint8_t last[128] = {0};
  size_t rest = count % 64, padded = rest < 56 ? 64 : 128;
  if (rest > 0) memcpy(last, bytes + count - rest, rest);
  last[rest] = 0x80;
  uint64_t bits = (uint64_t)count * 8;
  for (int i = 0; i < 8; i++) last[padded - 1 - i] = (uint8_t)(bits >> 8 * i);
  add_blocks(digest, last, padded / 64);
  return 1;
}
#else
int weir_sha256(const uint8_t *bytes, size_t count, uint32_t digest[8]) {
  (void)bytes, (void)count, (void)digest;
  return 0;
}
#endif
