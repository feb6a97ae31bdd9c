// Do one stage with jsforce: `node with_jsforce.cjs STAGE SETTINGS.json`; answers in JSON. JSFORCE_FOLDER has it.
const fs = require('fs');
const path = require('path');
const { createRequire } = require('module');
const jsforce = createRequire(path.join(process.env.JSFORCE_FOLDER, 'package.json'))('jsforce');

const settings = JSON.parse(fs.readFileSync(process.argv[3], 'utf8'));

async function signIn(more = {}) {
  const conn = new jsforce.Connection({
    loginUrl: 'https://login.salesforce.com', version: '62.0', httpProxy: settings.proxy, ...more,
  });
  await conn.login(settings.username, settings.password + settings.security_token);
  return conn;
}

function keep(way, name, rows) {
  const folder = path.join(settings.out, way);
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, `${name}.jsonl`), rows.map((row) => JSON.stringify(row) + '\n').join(''));
}

const soql = (name, fields, condition = '') => `SELECT ${fields.join(', ')} FROM ${name}${condition}`;
const ids = (rows) => rows.map((each) => ({ Id: each }));
const all = (conn, text, scanAll = false) => conn.query(text, { autoFetch: true, maxFetch: 1e7, scanAll })
  .then((answer) => answer.records);

const stages = {
  async describe() {
    await signIn({ oauth2: { loginUrl: 'https://login.salesforce.com', clientId: settings.client_id,
      clientSecret: settings.client_secret, httpProxy: settings.proxy } });
    const conn = await signIn();
    const found = await conn.describeGlobal();
    await conn.identity();
    return { objects: found.sobjects.length, fields: (await conn.describe('Contact')).fields.length };
  },
  async full() {
    const conn = await signIn();
    const ways = {
      REST: (text) => all(conn, text),
      'Bulk 2.0': async (text) => (await conn.bulk2.query(text)).toArray(),
      'Bulk 1.0': async (text) => (await conn.bulk.query(text)).toArray(),
    };
    for (const [way, read] of Object.entries(ways)) {
      for (const [name, fields] of Object.entries(settings.objects)) keep(way, name, await read(soql(name, fields)));
    }
    return {};
  },
  async everything() { // deleted records too
    const conn = await signIn();
    const ways = {
      REST: (text) => all(conn, text, true),
      'Bulk 2.0': async (text) => (await conn.bulk2.query(text, { scanAll: true })).toArray(),
    };
    for (const [way, read] of Object.entries(ways)) {
      for (const [name, fields] of Object.entries(settings.objects)) keep(way, name, await read(soql(name, fields)));
    }
    return {};
  },
  async increment() {
    const conn = await signIn();
    const start = new Date(new Date(settings.since) - 120000).toISOString();
    const end = new Date(Date.now() + 120000).toISOString();
    for (const [name, fields] of Object.entries(settings.objects)) {
      const condition = ` WHERE SystemModstamp >= ${settings.since}`;
      keep('REST', name, await all(conn, soql(name, fields, condition)));
      keep('deleted rows', name, await all(conn, soql(name, fields, condition + ' AND IsDeleted = TRUE'), true));
      keep('updated', name, ids((await conn.sobject(name).updated(start, end)).ids));
      const gone = await conn.sobject(name).deleted(start, end);
      keep('deleted', name, ids(gone.deletedRecords.map((each) => each.id)));
    }
    return {};
  },
  async write() {
    const conn = await signIn();
    const rows = [0, 1, 2].map((n) => ({ LastName: `Jay ${n}`, Email: `jay.${n}@peers.example` }));
    const made = await conn.sobject('Contact').create(rows);
    if (!made.every((each) => each.success)) throw new Error(JSON.stringify(made));
    const changed = await conn.sobject('Contact').update(made.map(({ id }) => ({ Id: id, Title: 'Changed' })));
    if (!changed.every((each) => each.success)) throw new Error(JSON.stringify(changed));
    const [first, second, third] = made.map((each) => each.id);
    const merged = await conn.soap.merge({
      masterRecord: { type: 'Contact', Id: first }, recordToMergeIds: [second],
    });
    if (![].concat(merged).every((each) => String(each.success) === 'true')) throw new Error(JSON.stringify(merged));
    const loaded = await conn.bulk2.loadAndWaitForResults({
      object: 'Contact', operation: 'insert', input: [{ LastName: 'Loaded', Email: 'loaded@peers.example' }],
    });
    if (loaded.successfulResults.length !== 1) throw new Error(JSON.stringify(loaded));
    const gone = await conn.sobject('Contact').destroy([first, third, loaded.successfulResults[0].sf__Id]);
    if (!gone.every((each) => each.success)) throw new Error(JSON.stringify(gone));
    return { write: 'create, update, delete as collections; SOAP merge; Bulk 2.0 insert' };
  },
  async error() {
    const conn = await signIn();
    const said = [];
    for (const attempt of [
      () => conn.query('SELECT Nonsense FROM Contact'),
      () => conn.sobject('Contact').create({ FirstName: 'Nobody' }),
      () => new jsforce.Connection({ loginUrl: 'https://login.salesforce.com', httpProxy: settings.proxy })
        .login(settings.username, 'wrong'),
    ]) {
      await attempt().catch((refusal) => said.push(`${refusal.errorCode || refusal.name}: ${refusal.message}`));
    }
    return { errors: said };
  },
};

stages[process.argv[2]]().then(
  (answer) => console.log(JSON.stringify(answer)),
  (error) => { console.error(error); process.exit(1); },
);
