// Turns errors, durations and amounts into words for people.

import { hasText, t } from './i18n.js';

/** Failures that have a code in common, by how the mesh's text begins. */
const TEXTS = [
  ['无效房间', 'noRoom'],
  ['终端没有房间权限', 'notInRoom'],
  ['终端没有进入房间', 'notInRoom'],
  ['无效会话', 'noSession'],
  ['终端没有会话权限', 'noSession'],
  ['目标终端无效', 'noTerminal'],
  ['无效媒体服务', 'noMedia'],
  ['无效媒体', 'goneMedia'],
];

/**
 * An error in the reader's language: what it means. What the mesh said, in its own, is {@link errorDetail}.
 *
 * @param {{code?: string, message: string}} error
 * @param {string} [during] what was tried: `register` or `call`
 */
export function errorWords(error, during) {
  const special = TEXTS.find(([start]) => error.message?.startsWith(start))?.[1];
  const keys = [`error.${special}`, `error.${error.code}.${during}`, `error.${error.code}`, 'error.other'];
  return t(keys.find(hasText));
}

/** What the mesh said, for who has to find the cause; undefined when it said nothing but what the code means. */
export function errorDetail({ code, message = '' }) {
  if (!/^\d{4}$/.test(code)) return undefined;
  return /[：:]/.test(message) ? `${code} ${message}` : undefined;
}

/** `75_000` → `1:15`, `3_675_000` → `1:01:15` */
export function durationWords(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const parts = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  if (parts[0] === 0) parts.shift();
  return parts.map((part, i) => (i === 0 ? String(part) : String(part).padStart(2, '0'))).join(':');
}

/** `1_234` → `1.2 Mbit/s`, `56.7` → `57 kbit/s` */
export function rateWords(kbps) {
  return kbps >= 1_000 ? `${(kbps / 1_000).toFixed(1)} Mbit/s` : `${Math.round(kbps)} kbit/s`;
}

/** `2026-01-02 13:04:05.678` → `13:04:05.678` */
export function timeWords(date) {
  const pad = (value, size = 2) => String(value).padStart(size, '0');
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}.${pad(date.getMilliseconds(), 3)}`;
}
