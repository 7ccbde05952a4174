export declare const rootlessUser: string;
export interface User {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}
export declare function ensureRootlessUser(): User;
