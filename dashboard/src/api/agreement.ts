/** The compiler's proof that the shapes are those that the server's document tells: each of its answers fits the shape. */
import type { components } from './openapi';
import type * as Shapes from './shapes';

type Told = components['schemas'];
type Fits<Answer extends Shape, Shape> = [Answer, Shape];

export type Agreement = [
  Fits<Told['Me'], Shapes.Me>, Fits<Told['RunRow'], Shapes.RunRow>, Fits<Told['RunList'], Shapes.Page<Shapes.RunRow>>, Fits<Told['RunCounts'], Shapes.RunCounts>, Fits<Told['RunDetail'], Shapes.RunDetail>,
  Fits<Told['ExecutionList'], Shapes.Page<Shapes.ExecutionRow>>, Fits<Told['ApprovalList'], Shapes.Page<Shapes.ApprovalRow>>, Fits<Told['Decided'], Shapes.DecisionAnswer>, Fits<Told['FactList'], Shapes.Page<Shapes.FactRow>>,
  Fits<Told['BatchList'], Shapes.Page<Shapes.BatchRow>>, Fits<Told['BatchVersionList'], Shapes.Page<Shapes.BatchVersionRow>>, Fits<Told['JobList'], Shapes.Page<Shapes.JobRow>>, Fits<Told['About'], Shapes.About>,
];
