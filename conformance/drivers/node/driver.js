// Node.js's module net behind the driver protocol (../PROTOCOL.md).
'use strict';

const { once } = require('events');
const fs = require('fs');
const net = require('net');

// The module has no way to do this; the message is the reason.
class Unsupported extends Error {}

// Errors that the module reports with codes of its own instead of an errno.
const KINDS = {
  ERR_STREAM_DESTROYED: 'broken_pipe',
  ERR_STREAM_WRITE_AFTER_END: 'broken_pipe',
  ERR_STREAM_ALREADY_FINISHED: 'broken_pipe',
};

// server.listen() has reusePort since 22.12 and 23.1. Older versions ignore it.
const [major, minor] = process.versions.node.split('.').map(Number);
const REUSEPORT = major > 23 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12);

const OPTIONS = {
  listen: ['backlog', 'reuseaddr', ...(REUSEPORT ? ['reuseport'] : [])], // SO_REUSEADDR is on
  connect: ['keepalive'],
};
const REASONS = {
  nonblock: 'operations never block, so none fails with EAGAIN',
  no_cloexec: 'every descriptor is close-on-exec',
  keepalive: "a server's keepAlive applies to its connections, not to the listener",
  reuseport: 'reusePort came with Node.js 22.12 and 23.1',
};
const TYPES = { accept: net.Server };
for (const command of ['peeraddr', 'send', 'recv', 'shutdown']) TYPES[command] = net.Socket;
const HELLO = JSON.parse(`{
  "version": 1, "name": "node", "language": "JavaScript", "signal": "SIGUSR2", "capabilities": {
  "descriptors": "yes", "errno": "yes", "nonblock": "no", "no_cloexec": "no", "reuseaddr": "yes",
  "reuseport": "${REUSEPORT ? 'yes' : 'no'}", "backlog": "yes", "shutdown": "yes", "shutdown_read":
  "no", "pending_error": "no"}, "links": {"source": "https://github.com/nodejs/node"}}`);
const WRITE_FD = Number(process.env.CONFORMANCE_WRITE_FD ?? 1);
let last = 0;
const sockets = new Map(); // net.Server and net.Socket

// An error that occurs while no command waits is reported later: see failure().
function prepare(socket) {
  return socket.on('error', () => {}).setMaxListeners(0);
}

// Errnos for which libuv has no name. Their code is "Unknown system error -64".
const ERRNOS = { 63: 'ENOSR', 64: 'ENONET', 33: 'EDOM', 92: 'ENOPROTOOPT', 94: 'ESOCKTNOSUPPORT', 112: 'EHOSTDOWN' };

// Waits until data was read or the stream has ended. A listener for `readable` starts reading.
async function progress(stream) {
  const events = ['readable', 'end', 'close'];
  let done;
  const happened = new Promise((resolve) => (done = resolve));
  events.forEach((event) => stream.on(event, done));
  await happened;
  events.forEach((event) => stream.off(event, done));
}

// Returns the error that ended the stream, which says more than `error`; only once, as its event.
function failure(stream, error) {
  if (!stream.errored || stream.told) return error;
  stream.told = true;
  return stream.errored;
}

function keep(socket, more) {
  sockets.set(++last, socket);
  // The only place where Node.js has the descriptor: not documented, but widely used.
  return { socket: last, descriptor: socket._handle?.fd, ...more };
}

function endpoint(address, port) {
  return { endpoint: address === undefined ? null : { address, port } };
}

function close(socket) {
  if (socket instanceof net.Socket) return socket.destroy();
  socket.close();
  socket.accepted.forEach(close); // as the kernel does with connections that nobody accepted
}

// Waits for the callback that `start` gets.
function called(stream, start) {
  return new Promise((resolve, reject) => {
    start((error) => (error ? reject(failure(stream, error)) : resolve()));
  });
}

// Each takes the message and the socket that it names.
const COMMANDS = {
  hello({ versions }) {
    if (!versions.includes(1)) throw new Unsupported('speaks version 1');
    return { ...HELLO, implementation_version: process.versions.node, pid: process.pid };
  },
  async listen({ address, port, options }) {
    // TCP has half-open connections. Without allowHalfOpen the module ends them by itself, and
    // without pauseOnConnect it reads before recv.
    const server = prepare(net.createServer({ allowHalfOpen: true, pauseOnConnect: true }));
    server.accepted = []; // connections that no accept has taken yet
    server.failures = []; // of accept(2), likewise
    server.on('error', (error) => server.failures.push(error));
    server.on('connection', (socket) => {
      server.accepted.push(prepare(socket));
      server.emit('accepted');
    });
    server.listen({ host: address, port, backlog: options.backlog, reusePort: options.reuseport });
    await once(server, 'listening');
    try {
      return keep(server, { port: server.address().port });
    } catch (error) {
      server.close();
      throw error;
    }
  },
  async connect({ address, port, options }) {
    const keepAlive = options.keepalive;
    const socket = net.connect({ host: address, port, keepAlive, allowHalfOpen: true }).pause();
    await once(socket, 'connect');
    return keep(prepare(socket));
  },
  async accept(_, server) {
    for (;;) {
      if (server.failures.length > 0) throw server.failures.shift();
      if (server.accepted.length > 0) return keep(server.accepted.shift());
      await once(server, 'accepted').catch(() => {}); // it is among the failures
    }
  },
  peeraddr: (_, stream) => endpoint(stream.remoteAddress, stream.remotePort),
  localaddr(_, socket) {
    const { address, port } = socket.address() ?? {};
    // A failure has no error: address() returns an empty object.
    if (address === undefined) throw Object.assign(new Error('no address'), { kind: 'opaque' });
    return endpoint(address, port);
  },
  async send({ data }, stream) {
    const bytes = Buffer.from(data, 'base64');
    await called(stream, (done) => stream.write(bytes, done));
    return { sent: bytes.length };
  },
  async recv({ size }, stream) {
    for (;;) {
      const data = stream.read(Math.min(size, stream.readableLength));
      if (data) return { data: data.toString('base64') };
      const error = failure(stream);
      if (error) throw error;
      if (stream.readableEnded || stream.destroyed) return { data: '' };
      await progress(stream);
    }
  },
  async shutdown({ how }, stream) {
    if (how !== 'write') throw new Unsupported('end() shuts down only the writing direction');
    await called(stream, (done) => stream.end(done));
    return {};
  },
  close({ socket: number }, socket) {
    close(socket);
    sockets.delete(number);
    return {};
  },
  reset() {
    const closed = [...sockets.keys()];
    sockets.forEach(close);
    sockets.clear();
    return { closed };
  },
  bye: () => ({}),
};

async function answer(message) {
  const { command, options = {} } = message;
  try {
    if (!Object.hasOwn(COMMANDS, command)) throw new Unsupported(`no command \`${command}\``);
    const unknown = Object.keys(options).find((name) => !OPTIONS[command]?.includes(name));
    if (unknown) throw new Unsupported(REASONS[unknown] ?? `${command} has no \`${unknown}\``);
    const socket = sockets.get(message.socket);
    if (message.socket && !socket) throw new RangeError(`no socket ${message.socket}`);
    if (command in TYPES && !(socket instanceof TYPES[command])) {
      throw new Unsupported(`a ${socket.constructor.name} has no ${command}`);
    }
    return { ok: await COMMANDS[command]({ ...message, options }, socket) };
  } catch (error) {
    if (error instanceof Unsupported) return { unsupported: { reason: error.message } };
    const text = String(error);
    const errno = ERRNOS[-error.errno] ?? error.code;
    if (/^E[A-Z0-9]+$/.test(errno)) return { error: { errno, text } };
    if (error.kind) return { error: { kind: error.kind, text } };
    if (error.code in KINDS) return { error: { kind: KINDS[error.code], text } };
    return { internal: { text } };
  }
}

async function* frames(stream) {
  let buffer = Buffer.alloc(0);
  for await (const chunk of stream) {
    buffer = Buffer.concat([buffer, chunk]);
    for (;;) {
      const start = buffer.indexOf('\n') + 1;
      const end = start + Number(buffer.subarray(0, start));
      if (start === 0 || buffer.length < end) break;
      yield JSON.parse(buffer.subarray(start, end));
      buffer = buffer.subarray(end);
    }
  }
}

async function serve(message) {
  const answered = await answer(message);
  const text = JSON.stringify({ id: message.id, ...answered });
  fs.writeSync(WRITE_FD, `${Buffer.byteLength(text)}\n${text}`);
  if (message.command === 'bye' || (message.command === 'hello' && !answered.ok)) process.exit(0);
}

async function main() {
  process.on('SIGUSR2', () => {});
  // Not fs.createReadStream(), because process.exit() would wait for its pending read.
  const fd = Number(process.env.CONFORMANCE_READ_FD);
  const input = fd ? new net.Socket({ fd, writable: false }) : process.stdin;
  for await (const message of frames(input)) serve(message);
  process.exit(0);
}

main();
