/** Messages of protobuf, field by field: what is read from them, and how they are written. */

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** Goes through the fields of one message, one after the other. */
export class Fields {
  field = 0;
  private wire = VARINT;
  private value: number | bigint = 0;
  private from = 0;

  constructor(
    private readonly bytes: Buffer,
    private at = 0,
    private readonly end = bytes.length,
  ) {}

  next(): boolean {
    if (this.at >= this.end) return false;
    const tag = Number(this.varint());
    this.field = tag >>> 3;
    this.wire = tag & 7;
    if (this.wire === VARINT) this.value = this.varint();
    else if (this.wire === BYTES) this.skip(Number(this.varint()));
    else if (this.wire === FIXED64) this.skip(8);
    else if (this.wire === FIXED32) this.skip(4);
    else throw new RangeError(`This is no message: wire type ${this.wire}.`);
    return true;
  }

  number(): number {
    return Number(this.value);
  }

  /** Exactly, however large. */
  digits(): string {
    return this.value.toString();
  }

  text(): string {
    return this.bytes.toString('utf8', this.from, this.at);
  }

  part(): Buffer {
    return this.bytes.subarray(this.from, this.at);
  }

  message(): Fields {
    return new Fields(this.bytes, this.from, this.at);
  }

  private skip(length: number): void {
    this.from = this.at;
    this.at += length;
    if (this.at > this.end) throw new RangeError('This message is cut off.');
  }

  private varint(): number | bigint {
    let value = 0;
    let factor = 1;
    // 49 bits are exact.
    for (let read = 0; read < 7; read += 1) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 0x80;
    }
    let large = BigInt(value);
    for (let shift = 49n; shift < 70n; shift += 7n) {
      const byte = this.byte();
      large += BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return large;
    }
    throw new RangeError('This number is too long.');
  }

  private byte(): number {
    const byte = this.bytes[this.at];
    if (byte === undefined) throw new RangeError('This message is cut off.');
    this.at += 1;
    return byte;
  }
}

/** The tag of a field whose length is told. */
export function tag(field: number): number {
  return (field << 3) | BYTES;
}

export function varintTag(field: number): number {
  return field << 3;
}

/** With its tag and its length. */
export function sized(length: number): number {
  return 1 + varintLength(length) + length;
}

export function varintLength(value: number): number {
  let length = 1;
  for (let left = value; left >= 0x80; left = Math.floor(left / 0x80)) length += 1;
  return length;
}

/** Written from the front; the whole length is known before. */
export class Bytes {
  private readonly bytes: Buffer;
  private at = 0;

  constructor(length: number) {
    this.bytes = Buffer.allocUnsafe(length);
  }

  varint(value: number): this {
    let left = value;
    for (; left >= 0x80; left = Math.floor(left / 0x80)) this.bytes[this.at++] = (left % 0x80) | 0x80;
    this.bytes[this.at++] = left;
    return this;
  }

  /** What follows belongs to this field, for so many bytes. */
  open(opened: number, length: number): this {
    return this.varint(opened).varint(length);
  }

  text(opened: number, text: string): this {
    this.open(opened, Buffer.byteLength(text));
    this.at += this.bytes.write(text, this.at);
    return this;
  }

  part(opened: number, part: Uint8Array): this {
    this.open(opened, part.length);
    this.bytes.set(part, this.at);
    this.at += part.length;
    return this;
  }

  all(): Buffer {
    if (this.at !== this.bytes.length) throw new Error(`An append has ${this.at} bytes, not ${this.bytes.length}.`);
    return this.bytes;
  }
}
