// A game server in Node: signs as the quickstart of the original's documentation does, logs two players in, and plays
// one game in single steps and one with the two combined calls. Prints what it saw as one line of JSON.
//
//   BASE_URL=http://127.0.0.1:8000/api API_KEY=… API_SECRET=… GAME_ID=… PLAYERS='[{"plyrId":…,"secret":…}, …]' node rooms.mjs
import crypto from 'node:crypto';

const { BASE_URL, API_KEY, API_SECRET, GAME_ID, PLAYERS } = process.env;

function generateHmacSignature(timestamp, body, secretKey) {
  const data = timestamp + JSON.stringify(body);
  return crypto.createHmac('sha256', secretKey).update(data).digest('hex');
}

async function call(method, path, body) {
  const timestamp = Date.now().toString();
  const hmac = generateHmacSignature(timestamp, body ?? {}, API_SECRET);
  const response = await fetch(BASE_URL + path, {
    method,
    headers: { apikey: API_KEY, signature: hmac, timestamp, 'Content-Type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) throw Object.assign(new Error(answer.error), { status: response.status, answer });
  return answer;
}

// The one-time code of an authenticator app (RFC 6238): SHA-1, six digits, thirty seconds.
function totp(secret) {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...secret].map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000)));
  const mac = crypto.createHmac('sha1', key).update(counter).digest();
  const offset = mac[mac.length - 1] & 15;
  return ((mac.readUInt32BE(offset) & 0x7fffffff) % 1000000).toString().padStart(6, '0');
}

// Poll a task as the original's own client does: one signature over {} serves for every poll.
async function ended(taskId) {
  const timestamp = Date.now().toString();
  const headers = { apikey: API_KEY, signature: generateHmacSignature(timestamp, {}, API_SECRET), timestamp };
  for (;;) {
    const task = await (await fetch(`${BASE_URL}/task/status/${taskId}/`, { headers })).json();
    if (task.status !== 'PENDING') {
      if (task.status !== 'SUCCESS') throw new Error(`${taskId}: ${JSON.stringify(task)}`);
      return task;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const steps = [];
async function done(operation, body) {
  const { task } = await call('POST', `/game/${operation}`, body);
  const finished = await ended(task.id);
  steps.push(finished.taskData[0]);
  return finished.taskData.result;
}

const sessionJwts = [];
for (const { plyrId, secret } of JSON.parse(PLAYERS)) {
  const body = { plyrId, otp: totp(secret), gameId: GAME_ID, tokens: ['gamr'], amounts: [20], expiresIn: 3600 };
  sessionJwts.push((await call('POST', '/user/loginAndApprove', body)).sessionJwt);
}
const plyrIds = JSON.parse(PLAYERS).map((player) => player.plyrId);
const tokens = ['gamr', 'gamr'];

// One step after the other, asynchronously.
const { roomId } = await done('create', { expiresIn: 3600 });
await done('join', { roomId, sessionJwts });
const joined = await call('GET', `/game/isJoined?roomId=${roomId}&plyrId=${plyrIds[0]}`);
await done('pay', { roomId, sessionJwts, tokens, amounts: [3, 0.0000001] });
const full = await call('GET', `/game/room/${roomId}`);
await done('earn', { roomId, plyrIds: plyrIds.slice(0, 1), tokens: ['gamr'], amounts: ['3.0000001'] });
await done('leave', { roomId, sessionJwts });
await done('end', { roomId });

// The same with two calls that wait for their end, one of them written with a key order and numbers of its own.
const stakes = { 7: 'seven', sync: true, sessionJwts, tokens, amounts: [5.0, 2.5e0], 3: 'three' };
const created = await call('POST', '/game/createJoinPay', stakes);
const settled = await call('POST', '/game/earnLeaveEnd', {
  roomId: created.roomId, plyrIds, tokens, amounts: [7.5, 0], sync: true,
});
let refused;
try {
  await call('POST', '/game/join', { roomId: created.roomId, sessionJwts, sync: true });
} catch (error) {
  refused = { status: error.status, code: error.answer.code };
}
console.log(JSON.stringify({ steps, joined, full, created, settled, refused }));
