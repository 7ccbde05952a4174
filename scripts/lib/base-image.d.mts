/** Answers the reference of the image, tag included. */
export function pushBusybox(registry: string, name?: string): Promise<string>;
