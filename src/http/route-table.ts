/** Which methods a path takes, read from the controllers themselves: both adapters answer a wrong method with 404. */
import 'reflect-metadata';
import { Injectable, RequestMethod } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';

@Injectable()
export class RouteTable {
  private routes: readonly { readonly method: string; readonly pattern: RegExp }[] | undefined;

  constructor(private readonly modules: ModulesContainer) {}

  /** The methods of the doors at this path, in the order of the alphabet; empty for an unknown path. */
  methodsAt(path: string): readonly string[] {
    this.routes ??= [...this.modules.values()].flatMap(({ controllers }) =>
      [...controllers.values()].flatMap(({ metatype }) => (typeof metatype === 'function' ? routesOf(metatype) : [])),
    );
    const methods = this.routes.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method);
    return [...new Set(methods.includes('GET') ? [...methods, 'HEAD'] : methods)].sort();
  }
}

function routesOf(controller: { readonly prototype?: unknown }): { method: string; pattern: RegExp }[] {
  const prototype: unknown = controller.prototype;
  if (typeof prototype !== 'object' || prototype === null) return [];
  return Object.values(Object.getOwnPropertyDescriptors(prototype)).flatMap(({ value }: PropertyDescriptor) => {
    const handler: unknown = value;
    if (typeof handler !== 'function') return [];
    const method: unknown = Reflect.getMetadata('method', handler);
    if (typeof method !== 'number') return [];
    return pathsIn(controller).flatMap((base) =>
      pathsIn(handler).map((path) => ({ method: RequestMethod[method] ?? 'ALL', pattern: patternOf(`${base}/${path}`) })),
    );
  });
}

function pathsIn(target: object): string[] {
  const path: unknown = Reflect.getMetadata('path', target);
  return (Array.isArray(path) ? path : [path]).map((part) => (typeof part === 'string' ? part : ''));
}

function patternOf(path: string): RegExp {
  const parts = path.split('/').filter((part) => part !== '');
  const source = parts.map((part) => (part.startsWith(':') ? '/[^/]+' : `/${part.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}`));
  return new RegExp(`^${source.join('')}/?$`);
}
