/**
 * What a token says of itself, unverified: for who keeps things apart by subject and for pages that show when it ends.
 * The server alone decides what it is worth.
 */

function bytesOf(base64url) {
  return Uint8Array.from(atob(base64url.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
}

/** Unix time in seconds: JWTs have a number, PASETO an RFC 3339 string; undefined: neither. */
function seconds(value) {
  const at = typeof value === 'string' ? Date.parse(value) / 1000 : value;
  return Number.isFinite(at) ? at : undefined;
}

/**
 * {sub, iss, scopes, exp, iat} of a JWT or of a PASETO v4.public token, times in Unix seconds; undefined: it is neither.
 */
export function claimsOf(token) {
  try {
    const parts = token.trim().split('.');
    const paseto = parts[0] === 'v4' && parts[1] === 'public';
    const bytes = bytesOf(paseto ? parts[2] : parts[1]);
    /* PASETO: the signature's 64 bytes stand behind the claims */
    const claims = JSON.parse(new TextDecoder('utf-8', {fatal: true}).decode(paseto ? bytes.subarray(0, -64) : bytes));
    if (typeof claims?.sub !== 'string') return undefined;
    return {
      sub: claims.sub,
      iss: typeof claims.iss === 'string' ? claims.iss : undefined,
      scopes: typeof claims.scope === 'string' ? claims.scope.split(' ').filter(Boolean) : [],
      exp: seconds(claims.exp),
      iat: seconds(claims.iat),
    };
  } catch { return undefined; }
}

/** A name for whom a token speaks for; undefined where that cannot be told, and then nothing of one's own is kept. */
export function holderOf(token) {
  const claims = token === undefined ? undefined : claimsOf(token);
  return claims === undefined ? undefined : `${claims.iss ?? ''}\n${claims.sub}`;
}
