// The KafkaJS community's client: it asks for the subject's config before it registers.
import assert from 'node:assert/strict';
import { SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry';

const registry = new SchemaRegistry({ host: process.argv[2] });
const schema = JSON.stringify({
  type: 'record',
  name: 'Payment',
  namespace: 'kafkajs',
  fields: [{ name: 'amount', type: 'int' }],
});
const { id } = await registry.register({ type: SchemaType.AVRO, schema });
assert.ok(id > 0);
assert.equal(await registry.getLatestSchemaId('kafkajs.Payment'), id);
assert.equal(await registry.getRegistryId('kafkajs.Payment', 1), id);
const encoded = await registry.encode(id, { amount: 5 });
const decoded = await new SchemaRegistry({ host: process.argv[2] }).decode(encoded);
assert.deepEqual({ ...decoded }, { amount: 5 });
await assert.rejects(registry.getLatestSchemaId('kafkajs.Absent'));
console.log('ok');
