// A small use of the client module, for the compiler alone.
import {Conflict, Invalid, NotFound, Profiled, cacheStorageStore, claimsOf, type OwnProfile} from 'profiled-client';

const profiled = new Profiled({base: 'https://example.org', store: cacheStorageStore(), token: async ({rejected}) => (rejected === undefined ? 'a' : undefined), onExchange: ({status, ms}) => console.log(status, ms)});

export async function rename(name: string): Promise<OwnProfile | undefined> {
  const me = await profiled.me({signal: AbortSignal.timeout(1000)});
  try {
    return await profiled.update(me, {name, bio: null, visibility: {email: 'public'}});
  } catch (error) {
    if (error instanceof Conflict) return error.theirs as OwnProfile | undefined;
    if (error instanceof Invalid) console.log(error.fields['name']?.length);
    if (error instanceof NotFound) console.log(error.slug);
    throw error;
  }
}

export async function names(): Promise<string[]> {
  const {profiles, missing} = await profiled.profiles(['a', 'b'], {fields: ['name', 'picture']});
  const found: string[] = [...missing];
  for (const {id, name} of profiles) found.push(name ?? id);
  for await (const {handle} of profiled.directory({q: 'an', fields: ['handle']})) found.push(handle);
  // @ts-expect-error: a part has what was asked for and nothing else
  console.log(profiles[0].bio);
  // @ts-expect-error: visibility is the owner's to see
  console.log((await profiled.byHandle('ada')).visibility);
  // @ts-expect-error: there is no such field
  await profiled.update(await profiled.me(), {nmae: 'x'});
  await profiled.update(await profiled.me(), [{op: 'add', path: '/name', value: 'x'}, {op: 'remove', path: '/bio'}]);
  const exp: number | undefined = claimsOf('a.b.c')?.exp;
  console.log(exp);
  return found;
}
