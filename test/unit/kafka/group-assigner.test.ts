import { describe, expect, test } from '@jest/globals';
import { readNote } from '../../../src/kafka/group-assigner.ts';
import { AssignerProtocol } from '../../../src/kafka/client-library.ts';

function noteOf(note: object) {
  const userData = Buffer.from(JSON.stringify(note));
  return readNote(
    AssignerProtocol.MemberMetadata.encode({ version: 1, topics: ['state'], userData }),
    'state',
  );
}

describe('the metadata of a group member', () => {
  const note = { instance: 'one', partitions: 12, owned: [0, 3] };

  test('is read as it was written', () => {
    expect(noteOf(note)).toEqual(note);
  });

  test.each([2 ** 40, -1, 1.5, '12', null])(
    'is ignored with a number of partitions that no topic has: %p',
    (partitions) => {
      expect(noteOf({ ...note, partitions })).toBeUndefined();
    },
  );
});
