// SPDX-License-Identifier: Apache-2.0
// layer: every vehicle as one point of one WebGL draw call. The graphics card moves them: a vehicle is uploaded with where it
// was, where it is going and since when, and glides without any work of ours between two messages. Shapes are distances, so
// they are sharp at every size.
import type { CustomLayerInterface, CustomRenderMethodInput, Map as LibreMap } from "maplibre-gl";
import { STATES, STATE_INDEX } from "./terms.ts";
import type { Vehicle } from "./fleet.svelte.ts";

const FLOATS = 8;                          // from, to, start, span, state, flags
const VERTEX = `#version 300 es
precision highp float;
layout(location = 0) in vec4 path;
layout(location = 1) in vec4 more;
uniform mat4 matrix;
uniform float now;
uniform float size;
out float state;
out float flags;
void main() {
    float k = more.y > 0.0 ? clamp((now - more.x) / more.y, 0.0, 1.0) : 1.0;
    gl_Position = matrix * vec4(mix(path.xy, path.zw, k), 0.0, 1.0);
    gl_PointSize = size * (more.w > 0.5 ? 1.7 : 1.0);
    state = more.z;
    flags = more.w;
}`;
const FRAGMENT = `#version 300 es
precision highp float;
in float state;
in float flags;
uniform vec3 colours[8];
uniform vec3 halo;
uniform float size;
out vec4 pixel;
float box(vec2 p, float r) { vec2 d = abs(p) - r; return max(d.x, d.y); }
float shape(int s, vec2 p) {
    if (s == 0) return length(p) - 0.56;
    if (s == 1) return (abs(p.x) + abs(p.y) - 0.74) * 0.7071;
    if (s == 2) return max(abs(p.x) * 0.88 + p.y * -0.475 - 0.3, p.y - 0.52);
    if (s == 3) return box(p, 0.5);
    if (s == 4) return abs(box(p, 0.44)) - 0.13;
    if (s == 5) { vec2 q = abs(p); return max(q.x * 0.866 + q.y * 0.5, q.y) - 0.56; }
    if (s == 6) return abs(length(p) - 0.46) - 0.14;
    vec2 q = abs(p);
    return max(abs(q.x - q.y) * 0.7071 - 0.17, max(q.x, q.y) - 0.56);
}
void main() {
    vec2 p = (gl_PointCoord * 2.0 - 1.0) * 1.12;
    float d = shape(int(state + 0.5), p), soft = 2.2 / size;
    float edge = 0.2;
    float inside = 1.0 - smoothstep(-soft, soft, d);
    float around = 1.0 - smoothstep(-soft, soft, d - edge);
    vec3 colour = mix(halo, colours[int(state + 0.5)], inside);
    pixel = vec4(colour, 1.0) * around;
    if (pixel.a < 0.01) discard;
}`;

function rgb(text: string): [number, number, number] {
    const canvas = document.createElement("canvas");
    const brush = canvas.getContext("2d")!;
    brush.fillStyle = text;
    brush.fillRect(0, 0, 1, 1);
    const [r, g, b] = brush.getImageData(0, 0, 1, 1).data;
    return [r! / 255, g! / 255, b! / 255];
}

// Columns-first product a * b, in doubles: float would tremble by metres far from the map's corner.
function moved(matrix: ArrayLike<number>, x: number, y: number) {
    const out = Float64Array.from(matrix as ArrayLike<number>);
    for (let row = 0; row < 4; row++) out[12 + row] = out[row]! * x + out[4 + row]! * y + out[12 + row]!;
    return Float32Array.from(out);
}

export class VehicleLayer implements CustomLayerInterface {
    id = "vehicles";
    type = "custom" as const;
    renderingMode = "2d" as const;
    hidden = false;
    private program: WebGLProgram | null = null;
    private buffer: WebGLBuffer | null = null;
    private array: WebGLVertexArrayObject | null = null;
    private data = new Float32Array(0);
    private count = 0;
    private dirty = true;
    private palette = new Float32Array(24);
    private halo: [number, number, number] = [1, 1, 1];
    private base = performance.now();      // start times are kept small, for floats

    constructor(readonly originX: number, readonly originY: number) {}

    onAdd(_map: LibreMap, gl: WebGL2RenderingContext) {
        const compile = (type: number, text: string) => {
            const shader = gl.createShader(type)!;
            gl.shaderSource(shader, text);
            gl.compileShader(shader);
            if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader) ?? "shader");
            return shader;
        };
        this.program = gl.createProgram()!;
        gl.attachShader(this.program, compile(gl.VERTEX_SHADER, VERTEX));
        gl.attachShader(this.program, compile(gl.FRAGMENT_SHADER, FRAGMENT));
        gl.linkProgram(this.program);
        this.buffer = gl.createBuffer();
        this.array = gl.createVertexArray();
        gl.bindVertexArray(this.array);
        gl.bindBuffer(gl.ARRAY_BUFFER, this.buffer);
        for (const at of [0, 1]) {
            gl.enableVertexAttribArray(at);
            gl.vertexAttribPointer(at, 4, gl.FLOAT, false, FLOATS * 4, at * 16);
        }
        gl.bindVertexArray(null);
        this.dirty = true;
        this.paint();
    }

    onRemove(_map: LibreMap, gl: WebGL2RenderingContext) {
        gl.deleteProgram(this.program);
        gl.deleteBuffer(this.buffer);
        gl.deleteVertexArray(this.array);
        this.program = null;
    }

    // The theme's colours, from the page's own tokens.
    paint() {
        const style = getComputedStyle(document.documentElement);
        STATES.forEach((state, i) => this.palette.set(rgb(style.getPropertyValue(`--state-${state}`)), i * 3));
        this.halo = rgb(style.getPropertyValue("--panel"));
    }

    // The chosen one goes last, to lie above all others.
    put(vehicles: Iterable<Vehicle>, size: number, chosen: string | null) {
        if (this.data.length < size * FLOATS) this.data = new Float32Array(Math.max(1024, Math.ceil(size * 1.3)) * FLOATS);
        let n = 0, last: Vehicle | null = null;
        const write = (v: Vehicle, flag: number) => {
            const at = n++ * FLOATS, d = this.data;
            d[at] = v.fromX - this.originX;
            d[at + 1] = v.fromY - this.originY;
            d[at + 2] = v.toX - this.originX;
            d[at + 3] = v.toY - this.originY;
            d[at + 4] = v.startMs - this.base;
            d[at + 5] = v.spanMs;
            d[at + 6] = STATE_INDEX[v.state]!;
            d[at + 7] = flag;
        };
        for (const v of vehicles) {
            if (v.code === chosen) last = v;
            else write(v, 0);
        }
        if (last) write(last, 1);
        this.count = n;
        this.dirty = true;
    }

    render(context: WebGLRenderingContext | WebGL2RenderingContext, input: CustomRenderMethodInput) {
        const gl = context as WebGL2RenderingContext;
        if (!this.program || this.hidden || !this.count) return;
        if (this.dirty) {
            gl.bindBuffer(gl.ARRAY_BUFFER, this.buffer);
            gl.bufferData(gl.ARRAY_BUFFER, this.data.subarray(0, this.count * FLOATS), gl.DYNAMIC_DRAW);
            this.dirty = false;
        }
        const at = (name: string) => gl.getUniformLocation(this.program!, name);
        gl.useProgram(this.program);
        gl.uniformMatrix4fv(at("matrix"), false, moved(input.defaultProjectionData.mainMatrix, this.originX, this.originY));
        gl.uniform1f(at("now"), performance.now() - this.base);
        gl.uniform1f(at("size"), this.sizePx * devicePixelRatio);
        gl.uniform3fv(at("colours"), this.palette);
        gl.uniform3fv(at("halo"), this.halo);
        gl.bindVertexArray(this.array);
        gl.enable(gl.BLEND);
        gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
        gl.disable(gl.DEPTH_TEST);
        gl.disable(gl.STENCIL_TEST);
        gl.drawArrays(gl.POINTS, 0, this.count);
        gl.bindVertexArray(null);
    }

    sizePx = 15;
}
