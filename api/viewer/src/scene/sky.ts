/** The sky: a gradient by elevation, drawn where nothing else is. */
import { BufferGeometry, Float32BufferAttribute, Matrix4, Mesh, type PerspectiveCamera, ShaderMaterial } from "three";
import { ORDER } from "./order";
import type { Palette } from "./palette";

const VERTEX = /* glsl */ `
uniform mat4 uUnproject;
varying vec3 vDirection;
void main() {
  vec4 far = uUnproject * vec4(position.xy, 1.0, 1.0);
  vDirection = far.xyz / far.w;
  gl_Position = vec4(position.xy, 1.0, 1.0);
}`;

const FRAGMENT = /* glsl */ `
uniform vec3 uZenith;
uniform vec3 uHorizon;
varying vec3 vDirection;
float noise(vec2 p) { return fract(sin(dot(p, vec2(12.9898, 78.233))) * 43758.5453); }
void main() {
  float elevation = normalize(vDirection).y;
  vec3 colour = mix(uHorizon, uZenith, smoothstep(0.0, 0.55, elevation));
  gl_FragColor = vec4(colour, 1.0);
  #include <colorspace_fragment>
  gl_FragColor.rgb += (noise(gl_FragCoord.xy) - 0.5) / 255.0;
}`;

export class Sky extends Mesh<BufferGeometry, ShaderMaterial> {
  private readonly unproject = new Matrix4();

  constructor() {
    const geometry = new BufferGeometry();
    geometry.setAttribute("position", new Float32BufferAttribute([-1, -1, 0, 3, -1, 0, -1, 3, 0], 3));
    super(
      geometry,
      new ShaderMaterial({
        vertexShader: VERTEX,
        fragmentShader: FRAGMENT,
        // At the far end of the depth: what is covered costs nothing.
        depthWrite: false,
        uniforms: { uUnproject: { value: new Matrix4() }, uZenith: { value: null }, uHorizon: { value: null } },
      }),
    );
    this.frustumCulled = false;
    this.renderOrder = ORDER.sky;
  }

  /** Directions come from the camera's rotation alone, so that no large number reaches the GPU. */
  update(camera: PerspectiveCamera, palette: Palette): void {
    this.unproject.extractRotation(camera.matrixWorld).multiply(camera.projectionMatrixInverse);
    const uniforms = this.material.uniforms;
    (uniforms.uUnproject.value as Matrix4).copy(this.unproject);
    uniforms.uZenith.value = palette.zenith;
    uniforms.uHorizon.value = palette.horizon;
  }
}
