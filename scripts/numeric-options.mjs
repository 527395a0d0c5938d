/** Options of the project's own commands that are numbers: what is none is refused, before anything passes for want of work. */
import { InvalidArgumentError } from 'commander';

export function wholeNumber(text) {
  const number = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(number)) throw new InvalidArgumentError('It is a whole number.');
  return number;
}

export function positive(text) {
  const number = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || !(number > 0)) throw new InvalidArgumentError('It is a number above 0.');
  return number;
}

export function atLeastOne(text) {
  if (wholeNumber(text) < 1) throw new InvalidArgumentError('It is a whole number from 1 on.');
  return Number(text);
}
