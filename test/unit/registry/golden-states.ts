import { readFileSync } from 'node:fs';
import { openRegistry } from '../../../src/registry/index.ts';
import {
  emptyCheckpoint,
  type RememberedStory,
  type StreamState,
} from '../../../src/engine/state.ts';
import { registryOptions } from '../../support/registry-options.ts';
import {
  startRegistryServer,
  type RegistryReply,
  type RegistryScript,
} from '../../support/registry-server.ts';

/** The state that the bytes below hold, in every format. */
export const state: StreamState = {
  ...emptyCheckpoint,
  stream: 'user_insights',
  accountId: '17841',
  cursorMs: 1_700_000_000_000,
  coveredUntilMs: 1_700_000_000_000,
  days: [
    {
      dateMs: 1_700_000_000_000,
      followerCount: 5,
      reach: 70,
      reachWeek: null,
      reachDays28: null,
      onlineFollowers: { '0': 12 },
    },
  ],
  sequence: 3,
  writtenAtMs: 1_700_000_000_000,
  writtenBy: 'host-1',
  pause: null,
};
export const key = 'user_insights/17841';
/** Schema id 258, format 1; computed by the Avro specification, and never changed. */
export const golden =
  '0000000102021a757365725f696e7369676874730a31373834310280a0abfef9620280a0abfef9620280a0abfef962020a028c010000020202301800000680a0abfef9620c686f73742d31';
/** As `golden`, with version 2 and, before the sequence, nothing yet in the four fields it has more. */
export const goldenOfFormat2 = golden
  .replace('000000010202', '000000010204')
  .replace('30180000' + '0680', '30180000' + '00000000' + '0680');
/** As `goldenOfFormat2`, with version 3 and no totals and no dead letters yet before the sequence. */
export const goldenOfFormat3 = goldenOfFormat2
  .replace('000000010204', '000000010206')
  .replace('00000000' + '0680', '000000000000' + '0680');
/** As `goldenOfFormat3`, with version 4 and no doubt before the sequence. */
export const goldenOfFormat4 = goldenOfFormat3
  .replace('000000010206', '000000010208')
  .replace('000000000000' + '0680', '00000000000000' + '0680');
/** As `goldenOfFormat4`, with version 5 and no readings of insights, no comments and no reading of them. */
export const goldenOfFormat5 = goldenOfFormat4
  .replace('000000010208', '00000001020a')
  .replace('00000000000000' + '0680', '00000000000000000000' + '0680');
/** As `goldenOfFormat5`, by the schema of format 6, without a pause before the sequence. */
export const goldenWithoutPause = goldenOfFormat5.replace(
  '00000000000000000000' + '0680',
  '0000000000000000000000' + '0680',
);
/** As `goldenWithoutPause`, with version 6 and a pause since then until one millisecond later. */
export const goldenOfFormat6 = goldenWithoutPause
  .replace('00000001020a', '00000001020c')
  .replace(
    '0000000000000000000000' + '0680',
    '00000000000000000000' + '0280a0abfef96202' + '82a0abfef962' + '0680',
  );
/** As `goldenWithoutPause` and `goldenOfFormat6`, by the schema of format 7, without its fields and hashtags. */
export const goldenWithoutDelivered = goldenWithoutPause.replace('000680', '000000000680');
export const pausedWithoutDelivered = goldenOfFormat6.replace('620680', '620000000680');
/** The story of `goldenOfFormat7`. */
export const story: RememberedStory = {
  id: '17',
  createdMs: null,
  readMs: null,
  values: { views: 5 },
  actions: {},
  fewViewers: false,
  outcome: null,
  untilMs: null,
};
/** As `goldenWithoutDelivered`, with version 7 and one story. */
export const goldenOfFormat7 = goldenWithoutDelivered
  .replace('00000001020a', '00000001020e')
  .replace('00000680', `020431370000020a76696577730a000000000000000680`);
/** The pause of `goldenOfFormat6`. */
export const pause = { sinceMs: 1_700_000_000_000, untilMs: 1_700_000_000_001 };
const ascii = (text: string) => Buffer.from(text).toString('hex');
/** One refusal: of `*`, of `views`, for `graph.gone`, for ever; it says nothing of missing days yet. */
const refusalOfFormat3 = `02022a020a${ascii('views')}14${ascii('graph.gone')}0000`;
export const refusingOfFormat3 = goldenOfFormat3.replace(
  '000000000000' + '0680',
  `000000${refusalOfFormat3}0000` + '0680',
);
const schema1 = readFileSync(new URL('state-format-1.avsc', import.meta.url), 'utf8');
export const schema2 = readFileSync(new URL('state-format-2.avsc', import.meta.url), 'utf8');
export const schema3 = readFileSync(new URL('state-format-3.avsc', import.meta.url), 'utf8');
export const schema4 = readFileSync(new URL('state-format-4.avsc', import.meta.url), 'utf8');
export const schema5 = readFileSync(new URL('state-format-5.avsc', import.meta.url), 'utf8');
export const schema6 = readFileSync(new URL('state-format-6.avsc', import.meta.url), 'utf8');
export const known: RegistryReply = [200, { schema: schema1 }];

/** A timeout that only a silent registry exceeds. */
const patienceMs = 20_000;
/** A timeout short enough for a test to wait for. */
const impatienceMs = 100;

/** Decodes against a registry that knows schema 258 as format 1, unless `script` says otherwise. */
export async function decode(
  hex: string,
  script: RegistryScript = {},
  name = key,
): Promise<StreamState> {
  await using server = await startRegistryServer({ 'GET /schemas/ids/258': known, ...script });
  const isSilent = Object.values(script).includes('silence');
  const timeoutMs = isSilent ? impatienceMs : patienceMs;
  const { stateCodec } = openRegistry(registryOptions(server.url, { timeoutMs }));
  return await stateCodec.decode(name, Buffer.from(hex, 'hex'));
}
