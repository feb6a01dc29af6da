/** CRC-32C, bits in reverse. */
const polynomial = 0x82f63b78;
/** Bytes that are taken at once, each with a table of its own. */
const slices = 8;
/** V8 compiles best what is called often: a batch is taken piece by piece. */
const pieceBytes = 4096;

const tables = createTables();

function createTables(): Int32Array {
  const made = new Int32Array(slices * 256);
  for (let byte = 0; byte < 256; byte += 1) {
    let rest = byte;
    for (let bit = 0; bit < 8; bit += 1) {
      rest = (rest & 1) === 0 ? rest >>> 1 : (rest >>> 1) ^ polynomial;
    }
    made[byte] = rest;
  }
  for (let at = 256; at < made.length; at += 1) {
    const before = made[at - 256] ?? 0;
    made[at] = (before >>> 8) ^ (made[before & 0xff] ?? 0);
  }
  return made;
}

/** The checksum of Kafka's record batches, as an unsigned number of 32 bits. */
export function crc32c(bytes: Buffer): number {
  let rest = -1;
  for (let from = 0; from < bytes.length; from += pieceBytes) {
    rest = add(rest, bytes.subarray(from, from + pieceBytes));
  }
  return ~rest >>> 0;
}

function add(before: number, bytes: Buffer): number {
  let rest = before;
  let at = 0;
  for (; at + slices <= bytes.length; at += slices) {
    rest =
      look(7, rest ^ byteAt(bytes, at)) ^
      look(6, (rest >>> 8) ^ byteAt(bytes, at + 1)) ^
      look(5, (rest >>> 16) ^ byteAt(bytes, at + 2)) ^
      look(4, (rest >>> 24) ^ byteAt(bytes, at + 3)) ^
      look(3, byteAt(bytes, at + 4)) ^
      look(2, byteAt(bytes, at + 5)) ^
      look(1, byteAt(bytes, at + 6)) ^
      look(0, byteAt(bytes, at + 7));
  }
  for (; at < bytes.length; at += 1) rest = look(0, rest ^ byteAt(bytes, at)) ^ (rest >>> 8);
  return rest;
}

/** Every index is within the array, which the compiler cannot know. */
function byteAt(bytes: Buffer, index: number): number {
  return bytes[index] ?? 0;
}

/** What a byte, the lowest of `bits`, comes to when so many others follow it. */
function look(followers: number, bits: number): number {
  return tables[(followers << 8) | (bits & 0xff)] ?? 0;
}
