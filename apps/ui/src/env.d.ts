// SPDX-License-Identifier: Apache-2.0
declare const __BUILD__: number;
declare module "*?url" {
    const url: string;
    export default url;
}
