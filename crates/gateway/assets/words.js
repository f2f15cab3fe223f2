// Turns errors, durations and amounts into words for people.

import { hasText, t } from './i18n.js';

/** Texts that only repeat the code; anything else is worth showing beside our own words. */
const PLAIN_TEXT = /^[\s\S]{0,2}$|^注册失败$|^邀请对象无效$|^终端没有响应$|^未知错误$/;

/**
 * An error in words: what it means, then what the mesh said.
 *
 * @param {{code?: string, message: string}} error
 * @param {string} [during] what was tried: `register` or `call`
 */
export function errorWords(error, during) {
  const keys = [`error.${error.code}.${during}`, `error.${error.code}`, 'error.other'];
  const words = t(keys.find(hasText));
  const fromMesh = /^\d{4}$/.test(error.code) && !PLAIN_TEXT.test(error.message ?? '');
  return fromMesh ? `${words} (${error.message})` : words;
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
