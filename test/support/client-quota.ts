import { setTimeout as sleep } from 'node:timers/promises';
import { array, createReader, int16, int32, text } from './kafka-bytes.ts';
import { ask } from './kafka-request.ts';

const describeClientQuotas = 48;
const alterClientQuotas = 49;

const no = Buffer.from([0]);

/**
 * Sets `producer_byte_rate` of a client id, which kafkajs cannot. When this resolves, the broker
 * applies it.
 */
export async function setProducerQuota(
  broker: string,
  clientId: string,
  bytesPerSecond: number,
): Promise<void> {
  await setQuota(broker, clientId, { name: 'producer_byte_rate', value: bytesPerSecond });
  // A broker lists a change before it applies it, and applies one change after another (Kafka 4.1.1:
  // BrokerMetadataPublisher.onMetadataUpdate). When it lists a second one, the first is in use.
  await setQuota(broker, clientId, { name: 'consumer_byte_rate', value: 1e9 });
}

interface Quota {
  readonly name: string;
  readonly value: number;
}

/** Sets a quota (AlterClientQuotas 0) and waits until the broker lists it. */
async function setQuota(broker: string, clientId: string, { name, value }: Quota): Promise<void> {
  const rate = Buffer.alloc(8);
  rate.writeDoubleBE(value);
  const entity = Buffer.concat([text('client-id'), text(clientId)]);
  const operation = Buffer.concat([text(name), rate, no]);
  const entry = Buffer.concat([array([entity]), array([operation])]);
  const header = [int16(alterClientQuotas), int16(0), int32(1), text('client-quota')];
  const answer = await ask(broker, Buffer.concat([...header, array([entry]), no]));
  const body = createReader(answer, 4 + 4 + 4);
  const [code] = body.list(() => body.int16());
  if (code !== 0) throw new Error(`the quota was refused with error ${String(code)}`);
  while (!(await listQuotas(broker, clientId)).includes(name)) await sleep(20);
}

/** The answer to DescribeClientQuotas 0 about one client id: it has the name of every quota set. */
function listQuotas(broker: string, clientId: string): Promise<Buffer> {
  const exactly = no;
  const component = Buffer.concat([text('client-id'), exactly, text(clientId)]);
  const header = [int16(describeClientQuotas), int16(0), int32(1), text('client-quota')];
  return ask(broker, Buffer.concat([...header, array([component]), no]));
}
