import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Types of messages, and fields of their headers (D-Bus specification, "Message Format"). */
const REPLY = 2;
const SIGNAL = 4;
const FIELDS = { path: 1, interface: 2, member: 3, replySerial: 5, destination: 6, sender: 7, signature: 8 };
const HOUR_MICROSECONDS = 3_600_000_000n;
/** Closing it, as the kubelet does with the lock that it has been given, is an error that it only logs. */
const NO_FILE = 1_000_000;

/**
 * As much of D-Bus and systemd-logind as a kubelet needs to learn that its node shuts down.
 * The lock that holds the shutdown up is a plain number here, not a file descriptor: Node can pass none, and the kubelet takes either.
 */
export class FakeLogind implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'logind-'));
  readonly #server: Server;
  readonly #clients = new Set<Socket>();
  #serial = 0;

  private constructor() {
    this.#server = createServer(socket => this.#serve(socket));
  }

  static async start(): Promise<FakeLogind> {
    const logind = new FakeLogind();
    await new Promise<void>(resolve => logind.#server.listen(join(logind.#folder, 'bus'), resolve));
    return logind;
  }

  /** For DBUS_SYSTEM_BUS_ADDRESS. */
  get address(): string {
    return `unix:path=${join(this.#folder, 'bus')}`;
  }

  /** Tells every kubelet that its node is about to shut down, or not any more. */
  prepareForShutdown(active: boolean): void {
    const place: Field[] = [
      [FIELDS.path, 'o', '/org/freedesktop/login1'],
      [FIELDS.interface, 's', 'org.freedesktop.login1.Manager'],
      [FIELDS.member, 's', 'PrepareForShutdown'],
    ];
    for (const client of this.#clients) client.write(this.#message(SIGNAL, place, 'b', uint32(active ? 1 : 0)));
  }

  [Symbol.dispose](): void {
    for (const client of this.#clients) client.destroy();
    this.#server.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #serve(socket: Socket): void {
    let rest = Buffer.alloc(0);
    let begun = false;
    this.#clients.add(socket);
    socket.on('close', () => this.#clients.delete(socket)).on('error', () => {});
    socket.on('data', chunk => {
      rest = Buffer.concat([rest, chunk]);
      while (!begun && rest.includes('\r\n')) {
        const end = rest.indexOf('\r\n');
        const line = rest.subarray(0, end).toString('latin1').replace('\0', '');
        rest = rest.subarray(end + 2);
        if (line === 'BEGIN') begun = true;
        else if (line === 'AUTH') socket.write('REJECTED EXTERNAL\r\n');
        else if (line.startsWith('AUTH ')) socket.write('OK 0123456789abcdef0123456789abcdef\r\n');
        else socket.write('ERROR\r\n');
      }
      for (let size = sizeOf(rest); begun && size <= rest.length; size = sizeOf(rest)) {
        this.#answer(socket, rest.subarray(0, size));
        rest = rest.subarray(size);
      }
    });
  }

  #answer(socket: Socket, call: Buffer): void {
    const text = call.toString('latin1');
    const answers: [string, string, Buffer][] = [
      ['\0Hello\0', 's', string(':1.1')],
      ['\0InhibitDelayMaxUSec\0', 'v', variantOfUint64(HOUR_MICROSECONDS)],
      ['\0Inhibit\0', 'u', uint32(NO_FILE)],
    ];
    const [, type = '', body = Buffer.alloc(0)] = answers.find(([word]) => text.includes(word)) ?? [];
    socket.write(this.#message(REPLY, [[FIELDS.replySerial, 'u', call.readUInt32LE(8)]], type, body));
  }

  #message(type: number, more: Field[], bodyType: string, body: Buffer): Buffer {
    const fields: Field[] = [...more, [FIELDS.destination, 's', ':1.1'], [FIELDS.sender, 's', 'org.freedesktop.DBus']];
    if (bodyType !== '') fields.push([FIELDS.signature, 'g', bodyType]);
    let header = Buffer.concat([
      Buffer.from([0x6c, type, 1, 1]),
      ...[uint32(body.length), uint32(++this.#serial), uint32(0)],
    ]);
    const before = header.length;
    for (const field of fields) header = Buffer.concat([padded(header, 8), encoded(field)]);
    header.writeUInt32LE(header.length - before, 12);
    return Buffer.concat([padded(header, 8), body]);
  }
}

type Field = [code: number, type: string, value: string | number];

function encoded([code, type, value]: Field): Buffer {
  const head = Buffer.from([code, 1, type.charCodeAt(0), 0]);
  if (typeof value === 'number') return Buffer.concat([head, uint32(value)]);
  if (type === 'g') return Buffer.concat([head, Buffer.from([value.length]), Buffer.from(`${value}\0`)]);
  return Buffer.concat([head, string(value)]);
}

function string(text: string): Buffer {
  return Buffer.concat([uint32(Buffer.byteLength(text)), Buffer.from(`${text}\0`)]);
}

function uint32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(value);
  return buffer;
}

function variantOfUint64(value: bigint): Buffer {
  const buffer = Buffer.alloc(16);
  buffer.write('\x01t\0', 'latin1');
  buffer.writeBigUInt64LE(value, 8);
  return buffer;
}

function padded(buffer: Buffer, to: number): Buffer {
  return Buffer.concat([buffer, Buffer.alloc((to - (buffer.length % to)) % to)]);
}

/** @returns the length of the message that begins there, endless while that cannot be told. */
function sizeOf(buffer: Buffer): number {
  if (buffer.length < 16) return Number.POSITIVE_INFINITY;
  const header = 16 + buffer.readUInt32LE(12);
  return header + ((8 - (header % 8)) % 8) + buffer.readUInt32LE(4);
}
