import { array, createReader, int16, int32, text } from './kafka-bytes.ts';
import { ask } from './kafka-request.ts';

const alterClientQuotas = 49;

/** Sets `producer_byte_rate` of a client id (AlterClientQuotas 0), which kafkajs cannot. */
export async function setProducerQuota(
  broker: string,
  clientId: string,
  bytesPerSecond: number,
): Promise<void> {
  const rate = Buffer.alloc(8);
  rate.writeDoubleBE(bytesPerSecond);
  const entity = Buffer.concat([text('client-id'), text(clientId)]);
  const operation = Buffer.concat([text('producer_byte_rate'), rate, Buffer.from([0])]);
  const entry = Buffer.concat([array([entity]), array([operation])]);
  const header = [int16(alterClientQuotas), int16(0), int32(1), text('client-quota')];
  const answer = await ask(broker, Buffer.concat([...header, array([entry]), Buffer.from([0])]));
  const body = createReader(answer, 4 + 4 + 4);
  const [code] = body.list(() => body.int16());
  if (code !== 0) throw new Error(`the quota was refused with error ${String(code)}`);
}
