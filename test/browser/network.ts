/** The way between a browser and its server, which can be cut or fall silent. */
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

export class Network {
  private server: Server | undefined;
  private target: { readonly host: string; readonly port: number } | undefined;
  private readonly sockets = new Set<Socket>();
  private isSilent = false;
  private isCut = false;

  /** The address at which the server answers by this way. */
  async to(url: string): Promise<string> {
    const { hostname, port } = new URL(url);
    this.target = { host: hostname, port: Number(port) };
    this.server ??= createServer((near) => this.join(near));
    if (!this.server.listening) await new Promise<void>((resolve) => this.server!.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Nothing is refused and nothing comes: as when a cable is pulled out. */
  fallSilent(): void {
    this.isSilent = true;
    for (const socket of this.sockets) socket.pause();
  }

  /** What was on its way when it fell silent never comes. */
  speakAgain(): void {
    this.isSilent = false;
    this.drop();
  }

  cut(): void {
    this.isCut = true;
    this.drop();
  }

  mend(): void {
    this.isCut = false;
  }

  async close(): Promise<void> {
    this.drop();
    if (this.server?.listening === true) await new Promise((resolve) => this.server!.close(resolve));
  }

  private drop(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  private join(near: Socket): void {
    if (this.isCut || this.target === undefined) return void near.destroy();
    const far = connect(this.target);
    for (const [from, to] of [[near, far], [far, near]] as const) {
      this.sockets.add(from);
      from.on('data', (chunk) => to.write(chunk));
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.sockets.delete(from);
        to.destroy();
      });
      if (this.isSilent) from.pause();
    }
  }
}
