/** For commander's options: each throws its InvalidArgumentError for what is no such number. */
export function wholeNumber(text: string): number;
export function positive(text: string): number;
export function atLeastOne(text: string): number;
