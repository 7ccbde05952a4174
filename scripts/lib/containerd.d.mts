export declare const newerContainerd: string;
export declare function installNewerContainerd(): void;
