import { createHmac } from 'node:crypto';

/** Invented values in place of real ones: the same for the same value, and of its shape. */
export interface Pseudonyms {
  /** Digits of the same number, of which the first two stay: they only show the kind of object. */
  readonly id: (digits: string) => string;
  /** A text without meaning of the same length: cursors, short codes, parts of paths. */
  readonly token: (text: string) => string;
  /** `user.invented.1` */
  readonly username: (name: string) => string;
  /** `Invented name 1` */
  readonly name: (name: string) => string;
  /** `Invented City 1` */
  readonly city: (name: string) => string;
  /** Words in the place of words; see `inventText`. */
  readonly text: (text: string) => string;
  /** Puts pseudonyms in the place of the user names and names that have occurred so far. */
  readonly withoutNames: (text: string) => string;
}

/** Creates pseudonyms; without the key, a guess of the real value cannot be tested. */
export function createPseudonyms(key: Uint8Array): Pseudonyms {
  const draw = (kind: string, value: string, length: number): Uint8Array => {
    const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, block) =>
      createHmac('sha256', key).update(`${kind} ${block} ${value}`).digest(),
    );
    return Buffer.concat(blocks).subarray(0, length);
  };
  const usernames = createNumbers((number) => `user.invented.${number}`);
  const names = createNumbers((number) => `Invented name ${number}`);
  const cities = createNumbers((number) => `Invented City ${number}`);
  return {
    id: (digits) => {
      const kept = digits.length > keptDigits + 2 ? keptDigits : 0;
      const drawn = [...draw('id', digits, digits.length - kept)].map((byte) => byte % 10);
      const invented = digits.slice(0, kept) + drawn.join('');
      // By chance a short one draws itself.
      return invented === digits
        ? invented.replace(/.$/, (d) => `${(Number(d) + 1) % 10}`)
        : invented;
    },
    token: (text) => {
      const length = Math.max(shortestToken, text.length);
      return Buffer.from(draw('token', text, length))
        .toString('base64url')
        .slice(0, length);
    },
    username: usernames.of,
    name: names.of,
    city: cities.of,
    text: (text) => inventText(text, draw('text', text, mostWords), usernames.of),
    withoutNames: (text) => {
      const renamed = text.replaceAll(/[\w.]+/g, (word) => usernames.known(word) ?? word);
      return names.all().reduce((soFar, [name, invented]) => {
        return name.length < shortestName ? soFar : soFar.replaceAll(name, invented);
      }, renamed);
    },
  };
}

const keptDigits = 2;
const shortestToken = 4;
/** A shorter name would occur in messages by chance. */
const shortestName = 4;

function createNumbers(describe: (number: number) => string) {
  const known = new Map<string, string>();
  return {
    of: (value: string): string => {
      const invented = known.get(value) ?? describe(known.size + 1);
      known.set(value, invented);
      return invented;
    },
    known: (value: string): string | undefined => known.get(value),
    all: (): readonly (readonly [value: string, invented: string])[] => [...known],
  };
}

const words = [
  ...['lorem', 'ipsum', 'dolor', 'amet', 'elit', 'sed', 'eiusmod', 'tempor', 'labore', 'magna'],
  ...['aliqua', 'enim', 'veniam', 'quis', 'nostrud', 'laboris', 'nisi', 'commodo', 'irure'],
  ...['velit', 'esse', 'cillum', 'fugiat', 'nulla', 'sint', 'occaecat', 'culpa', 'officia'],
];
const mostWords = 512;
const shortestText = 16;

/**
 * Invents a text: as long as the real one rounded up to a power of two, with as many hashtags and
 * mentions, over several lines where the real one has them, and beyond ASCII where it is.
 */
function inventText(text: string, drawn: Uint8Array, username: (name: string) => string): string {
  if (text === '') return '';
  const length = Math.max(shortestText, 2 ** Math.ceil(Math.log2(text.length)));
  const tags = (text.match(/#[\p{L}\p{N}_]+/gu) ?? []).map((_, index) => `#invented${index + 1}`);
  const mentions = (text.match(/@[\w.]+/g) ?? []).map((one) => `@${username(one.slice(1))}`);
  const beyondAscii = /[^\0-\x7f]/.test(text) ? ['é🏔'] : [];
  const ends = [...beyondAscii, ...tags, ...mentions].join(' ');
  let invented = '';
  for (let index = 0; invented.length + ends.length < length - shortestText / 2; index += 1) {
    const word = words[(drawn[index % drawn.length] ?? 0) % words.length] ?? '';
    invented += invented === '' ? word : ` ${word}`;
  }
  return [invented, ends].filter((part) => part !== '').join(text.includes('\n') ? '\n' : ' ');
}
