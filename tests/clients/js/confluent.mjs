// Confluent's own JavaScript client: Avro and JSON Schema round trips, look-ups, 404s, compatibility.
import assert from 'node:assert/strict';
import schemaregistry from '@confluentinc/schemaregistry';

const { SchemaRegistryClient, AvroSerializer, AvroDeserializer, JsonSerializer, JsonDeserializer, SerdeType } =
  schemaregistry;
const client = new SchemaRegistryClient({ baseURLs: [process.argv[2]] });
const order = JSON.stringify({
  type: 'record',
  name: 'Order',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'quantity', type: 'int', default: 1 },
  ],
});

const id = await client.register('js-order-value', { schemaType: 'AVRO', schema: order });
assert.ok(id > 0);
assert.equal(await client.getId('js-order-value', { schemaType: 'AVRO', schema: order }), id);
const latest = await client.getLatestSchemaMetadata('js-order-value');
assert.equal(latest.version, 1);
assert.equal(latest.id, id);
assert.deepEqual(await client.getAllVersions('js-order-value'), [1]);
assert.ok((await client.getAllSubjects()).includes('js-order-value'));
const wider = JSON.parse(order);
wider.fields.push({ name: 'note', type: ['null', 'string'], default: null });
assert.equal(await client.testSubjectCompatibility('js-order-value', { schema: JSON.stringify(wider) }), true);
wider.fields.push({ name: 'must', type: 'string' });
assert.equal(await client.testCompatibility('js-order-value', 1, { schema: JSON.stringify(wider) }), false);
await assert.rejects(client.getLatestSchemaMetadata('js-absent'), (error) => error.errorCode === 40401);
await assert.rejects(client.getBySubjectAndId('js-order-value', 999999), (error) => error.errorCode === 40403);
await client.updateCompatibility('js-order-value', 'FULL');
assert.equal(await client.getCompatibility('js-order-value'), 'FULL');

const avro = new AvroSerializer(client, SerdeType.VALUE, { autoRegisterSchemas: false, useLatestVersion: true });
const bytes = await avro.serialize('js-order', { id: 'a', quantity: 3 });
assert.equal(bytes.readInt32BE(1), id);
const back = await new AvroDeserializer(client, SerdeType.VALUE, {}).deserialize('js-order', bytes);
assert.deepEqual({ ...back }, { id: 'a', quantity: 3 });

const stock = JSON.stringify({ type: 'object', properties: { product: { type: 'string' } }, required: ['product'] });
await client.register('js-stock-value', { schemaType: 'JSON', schema: stock });
const json = new JsonSerializer(client, SerdeType.VALUE, {
  autoRegisterSchemas: false,
  useLatestVersion: true,
  validate: true,
});
const stocked = await json.serialize('js-stock', { product: 'p' });
assert.deepEqual(
  await new JsonDeserializer(client, SerdeType.VALUE, { validate: true }).deserialize('js-stock', stocked),
  { product: 'p' },
);
assert.deepEqual(await client.deleteSubject('js-stock-value'), [1]);
assert.deepEqual(await client.deleteSubject('js-stock-value', true), [1]);
console.log('ok');
