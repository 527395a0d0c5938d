/** Any value of JSON: what the document says nothing more of. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
