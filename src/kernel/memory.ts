/** Shorter ones cost less as garbage than the call that gives them back. */
const worthBytes = 8 * 1024;

/**
 * Gives the memory of bytes back at once, if nothing else lies in it. Large arrays that wait for
 * the garbage collector make it run over the whole heap again and again, and their memory is cold
 * when it is used next. From now on the bytes, and every view of them, are empty.
 */
export function giveBack({ buffer, length }: Uint8Array): void {
  if (length < worthBytes || buffer.byteLength !== length) return;
  if (buffer instanceof ArrayBuffer && !buffer.detached) buffer.transfer(0);
}
