export declare const buildx: string;
export declare function installBuildx(): void;
