/** Lets queries speak of tables as their projections do: the names of the builds that answer are put in here alone. */
import { OperationNodeTransformer, type KyselyPlugin, type QueryId, type SchemableIdentifierNode } from 'kysely';

export function tableNames(physical: (table: string) => string | undefined): KyselyPlugin {
  const renamer = new Renamer(physical);
  return {
    transformQuery: ({ node, queryId }) => renamer.transformNode(node, queryId),
    transformResult: async ({ result }) => result,
  };
}

class Renamer extends OperationNodeTransformer {
  constructor(private readonly physical: (table: string) => string | undefined) {
    super();
  }

  protected override transformSchemableIdentifier(node: SchemableIdentifierNode, queryId?: QueryId): SchemableIdentifierNode {
    const plain = super.transformSchemableIdentifier(node, queryId);
    const name = this.physical(plain.identifier.name);
    return name === undefined ? plain : { ...plain, identifier: { ...plain.identifier, name } };
  }
}
