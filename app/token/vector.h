/*
 * Published test vectors, checked by the same code that judges real tokens: signatures only, no claims, no
 * keyring.
 */
#pragma once
#include "base/span.h"

/*
 * Whether the vector in this line of JSON holds. Members by kind, pk, msg and sig in hexadecimal:
 *   {"kind":"ed25519","pk":…,"msg":…,"sig":…}
 *   {"kind":"jws","pk":…,"token":…}                  alg must be EdDSA or Ed25519, and there must be no crit
 *   {"kind":"paseto","pk":…,"token":…,"implicit":…}  v4.public; implicit may be left out
 * A line that is none of these is false like a signature that does not verify.
 */
bool token_vector_valid(struct span line);
