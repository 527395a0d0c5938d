export const NewBatch = () => null;
export const EditBatch = () => null;
