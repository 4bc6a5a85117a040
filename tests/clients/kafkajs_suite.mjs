// kafkajs against the broker that KAFKA_BOOTSTRAP names. Prints a line a case; exit 1 at the first that fails.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { randomUUID } from 'node:crypto'

const { Kafka, logLevel, CompressionTypes } = createRequire(import.meta.url)(process.env.KAFKAJS)
const kafka = new Kafka({ clientId: 'suite', brokers: [process.env.KAFKA_BOOTSTRAP], logLevel: logLevel.ERROR })
const name = what => `${what}-${randomUUID().slice(0, 8)}`

async function topic(numPartitions = 2, configEntries = []) {
  const admin = kafka.admin()
  await admin.connect()
  const made = name('topic')
  await admin.createTopics({ topics: [{ topic: made, numPartitions, configEntries }] })
  await admin.disconnect()
  return made
}

/// Runs a consumer until `enough(records)`.
async function collect(consumer, enough) {
  const records = []
  await new Promise((resolve, reject) => {
    const limit = setTimeout(() => reject(new Error(`only ${records.length} records`)), 60_000)
    consumer.on(consumer.events.CRASH, event => reject(event.payload.error))
    consumer.run({
      eachMessage: async ({ partition, message }) => {
        records.push({ partition, offset: message.offset, key: message.key?.toString(), value: message.value?.toString(), headers: message.headers })
        if (enough(records)) { clearTimeout(limit); resolve() }
      },
    }).catch(reject)
  })
  return records
}

const cases = {
  async 'produces and consumes, plain and gzip'() {
    for (const compression of [CompressionTypes.None, CompressionTypes.GZIP]) {
      const to = await topic(1)
      const producer = kafka.producer()
      await producer.connect()
      const messages = Array.from({ length: 500 }, (_, i) => ({ key: `k${i}`, value: `v${i}`, headers: { h: 'x' } }))
      await producer.send({ topic: to, compression, messages })
      await producer.disconnect()
      const consumer = kafka.consumer({ groupId: name('group') })
      await consumer.connect()
      await consumer.subscribe({ topic: to, fromBeginning: true })
      const got = await collect(consumer, r => r.length === 500)
      await consumer.disconnect()
      assert.deepEqual(got.map(r => r.value), messages.map(m => m.value))
      assert.equal(got[3].headers.h.toString(), 'x')
    }
  },
  async 'two members share a topic'() {
    const to = await topic(4)
    const groupId = name('group')
    const members = [kafka.consumer({ groupId }), kafka.consumer({ groupId })]
    const joined = members.map(member => new Promise(resolve => {
      member.on(member.events.GROUP_JOIN, ({ payload }) => {
        if ((payload.memberAssignment[to] ?? []).length === 2) resolve(payload.memberAssignment[to])
      })
    }))
    for (const member of members) {
      await member.connect()
      await member.subscribe({ topic: to, fromBeginning: true })
      await member.run({ eachMessage: async () => {} })
    }
    const parts = (await Promise.all(joined)).flat().sort()
    assert.deepEqual(parts, [0, 1, 2, 3])
    for (const member of members) await member.disconnect()
  },
  async 'transactions'() {
    const to = await topic(1)
    const producer = kafka.producer({ transactionalId: name('txn'), maxInFlightRequests: 1, idempotent: true })
    await producer.connect()
    for (const [value, commit] of [['a', true], ['b', false], ['c', true]]) {
      const transaction = await producer.transaction()
      await transaction.send({ topic: to, messages: [{ value }] })
      await (commit ? transaction.commit() : transaction.abort())
    }
    await producer.disconnect()
    const consumer = kafka.consumer({ groupId: name('group'), readUncommitted: false })
    await consumer.connect()
    await consumer.subscribe({ topic: to, fromBeginning: true })
    const got = await collect(consumer, r => r.length === 2)
    await consumer.disconnect()
    assert.deepEqual(got.map(r => r.value), ['a', 'c'])
  },
  async 'admin'() {
    const admin = kafka.admin()
    await admin.connect()
    const to = await topic(1, [{ name: 'retention.ms', value: '172800000' }])
    assert.ok((await admin.listTopics()).includes(to))
    await admin.createPartitions({ topicPartitions: [{ topic: to, count: 3 }] })
    assert.equal((await admin.fetchTopicMetadata({ topics: [to] })).topics[0].partitions.length, 3)
    const described = await admin.describeConfigs({ includeSynonyms: false, resources: [{ type: 2, name: to }] })
    assert.equal(described.resources[0].configEntries.find(e => e.configName === 'retention.ms').configValue, '172800000')
    await admin.alterConfigs({ validateOnly: false, resources: [{ type: 2, name: to, configEntries: [{ name: 'retention.ms', value: '1000000' }] }] })
    const groupId = name('group')
    await admin.setOffsets({ groupId, topic: to, partitions: [{ partition: 0, offset: '0' }] })
    assert.equal((await admin.fetchOffsets({ groupId, topics: [to] }))[0].partitions.find(p => p.partition === 0).offset, '0')
    assert.ok((await admin.listGroups()).groups.some(g => g.groupId === groupId))
    await admin.deleteGroups([groupId])
    const cluster = await admin.describeCluster()
    assert.equal(cluster.brokers.length, 1)
    await admin.deleteTopics({ topics: [to] })
    assert.ok(!(await admin.listTopics()).includes(to))
    await admin.disconnect()
  },
}

for (const [title, run] of Object.entries(cases)) {
  try {
    await run()
    console.log(`ok   ${title}`)
  } catch (problem) {
    console.log(`FAIL ${title}`)
    console.error(problem)
    process.exit(1)
  }
}
process.exit(0)
