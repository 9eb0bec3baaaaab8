// Small real images, one of each type: 64 by 48 pixels, four rectangles of red, green, blue and yellow. And what is made of them by
// hand: animated, turned, cut short, lying about their size.
import {deflateSync} from 'node:zlib';

const decode = (text) => Buffer.from(text, 'base64');
export const png = decode(`
iVBORw0KGgoAAAANSUhEUgAAAEAAAAAwCAIAAAAuKetIAAAACXBIWXMAAA7EAAAOxAGVKw4bAAAAT0lEQVRo3u3YwQkAMQwDQSn99+yrwiQHsw2YQT93sluX
D5z8PAAAAAAAAAAAAAAAAAAAAIA7Ndl93MzUAgAAAAAAAAAAAAAAAAAAAADv9QEZ2QVcZd6DKgAAAABJRU5ErkJggg==
`);
export const jpeg = decode(`
/9j/4AAQSkZJRgABAQEAYABgAAD//gA7Q1JFQVRPUjogZ2QtanBlZyB2MS4wICh1c2luZyBJSkcgSlBFRyB2NjIpLCBxdWFsaXR5ID0gODAK/9sAQwAGBAUG
BQQGBgUGBwcGCAoQCgoJCQoUDg8MEBcUGBgXFBYWGh0lHxobIxwWFiAsICMmJykqKRkfLTAtKDAlKCko/9sAQwEHBwcKCAoTCgoTKBoWGigoKCgoKCgoKCgo
KCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgo/8AAEQgAMABAAwEiAAIRAQMRAf/EAB8AAAEFAQEBAQEBAAAAAAAAAAABAgMEBQYHCAkK
C//EALUQAAIBAwMCBAMFBQQEAAABfQECAwAEEQUSITFBBhNRYQcicRQygZGhCCNCscEVUtHwJDNicoIJChYXGBkaJSYnKCkqNDU2Nzg5OkNERUZHSElKU1RV
VldYWVpjZGVmZ2hpanN0dXZ3eHl6g4SFhoeIiYqSk5SVlpeYmZqio6Slpqeoqaqys7S1tre4ubrCw8TFxsfIycrS09TV1tfY2drh4uPk5ebn6Onq8fLz9PX2
9/j5+v/EAB8BAAMBAQEBAQEBAQEAAAAAAAABAgMEBQYHCAkKC//EALURAAIBAgQEAwQHBQQEAAECdwABAgMRBAUhMQYSQVEHYXETIjKBCBRCkaGxwQkjM1Lw
FWJy0QoWJDThJfEXGBkaJicoKSo1Njc4OTpDREVGR0hJSlNUVVZXWFlaY2RlZmdoaWpzdHV2d3h5eoKDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2
t7i5usLDxMXGx8jJytLT1NXW19jZ2uLj5OXm5+jp6vLz9PX29/j5+v/aAAwDAQACEQMRAD8A86ooor44/pEKKKKAPYqKKK+QP89AooooA8dorgKK/pD/AIhP
/wBRf/lP/wC3P63/AOIm/wDUL/5P/wDaHf0VwFFH/EJ/+ov/AMp//bh/xE3/AKhf/J//ALQ+oaK9mor+Vv7X/ufj/wAA/Ef+Ie/9RP8A5J/9seM0V7NRR/a/
9z8f+AH/ABD3/qJ/8k/+2Pz4ooor/Qo9kKKKKAP0Hooor/Nw+wCiiigD/9k=
`);
export const webp = decode(`
UklGRoYAAABXRUJQVlA4IHoAAABwBgCdASpAADAAPmkokEWkIqGZVABABoSgDJDXF+AfgBpgPwA/XTjAuwH7AZ32Er/s5hJnBfz6HO6lwsAA/vDDk+iIPHuV
sOYsFRAV9fRBgPG6MY1lYtrLEM7AgPZHO5sgb4cbXKeJP/zAC8ovVpVvRA2pbFgKgAAAAA==
`);
export const avif = decode(`
AAAAIGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZk1BMUIAAADybWV0YQAAAAAAAAAoaGRscgAAAAAAAAAAcGljdAAAAAAAAAAAAAAAAGxpYmF2aWYAAAAADnBp
dG0AAAAAAAEAAAAeaWxvYwAAAABEAAABAAEAAAABAAABGgAAADEAAAAoaWluZgAAAAAAAQAAABppbmZlAgAAAAABAABhdjAxQ29sb3IAAAAAamlwcnAAAABL
aXBjbwAAABRpc3BlAAAAAAAAAEAAAAAwAAAAEHBpeGkAAAAAAwgICAAAAAxhdjFDgQAMAAAAABNjb2xybmNseAABAA0AAYAAAAAXaXBtYQAAAAAAAAABAAEE
AQKDBAAAADltZGF0EgAKCRgVf72CAhoDCDIiRZABhhhhALhmsjG1oSUKTKS7P2Phwu7Rf9Nf7JAP7+XWIA==
`);
export const images = {png, jpeg, webp, avif};
export const TYPES = {png: 'image/png', jpeg: 'image/jpeg', webp: 'image/webp', avif: 'image/avif'};

const be32 = (n) => { const b = Buffer.alloc(4); b.writeUInt32BE(n); return b; };
const le32 = (n) => { const b = Buffer.alloc(4); b.writeUInt32LE(n); return b; };

function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let i = 0; i < 8; i++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}
function pngChunk(type, data) {
  const body = Buffer.concat([Buffer.from(type), data]);
  return Buffer.concat([be32(data.length), body, be32(crc32(body))]);
}
/** A PNG of one grey, so that its size on the wire says nothing of its size in memory; told: what its header says instead. */
export function greyPng(width, height, told = [width, height], more = 0) {
  const row = Buffer.alloc(1 + Math.ceil(width / 8));
  const pixels = deflateSync(Buffer.concat(Array(height).fill(row)), {level: 9});
  const padding = more ? [pngChunk('prVt', Buffer.alloc(more, 1))] : [];
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), pngChunk('IHDR', Buffer.concat([be32(told[0]), be32(told[1]), Buffer.from([1, 0, 0, 0, 0])])),
    ...padding, pngChunk('IDAT', pixels), pngChunk('IEND', Buffer.alloc(0))]);
}
/** A PNG of exactly so many bytes. */
export const pngOf = (length) => greyPng(8, 8, [8, 8], length - greyPng(8, 8).length - 12);

/** The JPEG with an Exif block that says how it is to be turned, and something that nobody else should read. */
export function turned(orientation, secret = 'GPS 52.5 13.4') {
  const tiff = Buffer.concat([Buffer.from('MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0', 'latin1'), Buffer.from([orientation, 0, 0, 0, 0, 0, 0]), Buffer.from(secret)]);
  const app1 = Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), tiff]);
  return Buffer.concat([jpeg.subarray(0, 2), Buffer.from([0xff, 0xe1, (app1.length + 2) >> 8, (app1.length + 2) & 255]), app1, jpeg.subarray(2)]);
}

/** The WebP as the two frames of an animation. */
export function animatedWebp() {
  const chunk = (code, data) => Buffer.concat([Buffer.from(code), le32(data.length), data, Buffer.alloc(data.length & 1)]);
  const size = Buffer.from([63, 0, 0, 47, 0, 0]);
  const frame = chunk('ANMF', Buffer.concat([Buffer.alloc(6), size, Buffer.from([100, 0, 0, 0]), webp.subarray(12)]));
  const body = Buffer.concat([Buffer.from('WEBP'), chunk('VP8X', Buffer.concat([Buffer.from([2, 0, 0, 0]), size])), chunk('ANIM', Buffer.alloc(6)), frame, frame]);
  return Buffer.concat([Buffer.from('RIFF'), le32(body.length), body]);
}

/** A progressive JPEG of 4096 by 4096 and less than 1 MiB, in more scans than anybody has the time for: each goes through all of it. */
export function manyScans(count = 24000) {
  const head = [Buffer.from('ffd8ffdb004300', 'hex'), Buffer.alloc(64, 1), Buffer.from('ffc2000b081000100001011100', 'hex'),
    Buffer.concat([Buffer.from('ffc400141001', 'hex'), Buffer.alloc(15), Buffer.from([0xe0])])];
  const scan = Buffer.concat([Buffer.from('ffda00080101' + '00' + '013f00', 'hex'), Buffer.alloc(30)]);
  return Buffer.concat([...head, ...Array(count).fill(scan), Buffer.from('ffd9', 'hex')]);
}

/** What the bytes are, found without any of the server's code: [type, width, height]. */
export function measure(bytes) {
  const text = bytes.toString('latin1');
  if (text.startsWith('\x89PNG')) return ['png', bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  if (text.startsWith('\xff\xd8')) {
    for (let at = 2; ; at += 2 + bytes.readUInt16BE(at + 2))
      if (bytes[at + 1] >= 0xc0 && bytes[at + 1] <= 0xc2) return ['jpeg', bytes.readUInt16BE(at + 7), bytes.readUInt16BE(at + 5)];
  }
  if (text.startsWith('RIFF') && text.slice(12, 16) === 'VP8 ') return ['webp', bytes.readUInt16LE(26) & 0x3fff, bytes.readUInt16LE(28) & 0x3fff];
  const ispe = text.indexOf('ispe');
  if (text.slice(4, 12) === 'ftypavif' && ispe > 0) return ['avif', bytes.readUInt32BE(ispe + 8), bytes.readUInt32BE(ispe + 12)];
  throw new Error(`no image: ${text.slice(0, 16)}`);
}
