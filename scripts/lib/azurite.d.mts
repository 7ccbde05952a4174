export declare const azurite: string;
export declare function installAzurite(): void;
