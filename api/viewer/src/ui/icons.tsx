/** Line icons, 20 × 20, in the colour of the text. */
import type { ComponentChildren } from "preact";

function Icon({ children }: { children: ComponentChildren }) {
  return (
    <svg width="20" height="20" viewBox="0 0 20 20" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
      {children}
    </svg>
  );
}

export const Logo = () => (
  <svg width="30" height="30" viewBox="0 0 32 32" aria-hidden="true">
    <rect width="32" height="32" rx="8" fill="var(--accent)" />
    <path d="M7 25V12l7-4v17zM18 25V15l7 4v6z" fill="var(--on-accent)" />
  </svg>
);
export const Plus = () => <Icon><path d="M10 4v12M4 10h12" /></Icon>;
export const Minus = () => <Icon><path d="M4 10h12" /></Icon>;
export const Close = () => <Icon><path d="m5 5 10 10M15 5 5 15" /></Icon>;
export const Sun = () => (
  <Icon>
    <circle cx="10" cy="10" r="3.2" />
    <path d="M10 2.5v1.8M10 15.7v1.8M2.5 10h1.8M15.7 10h1.8M4.7 4.7 6 6M14 14l1.3 1.3M4.7 15.3 6 14M14 6l1.3-1.3" />
  </Icon>
);
export const Moon = () => <Icon><path d="M16 11.6A6.6 6.6 0 0 1 8.4 4a6.6 6.6 0 1 0 7.6 7.6Z" /></Icon>;
export const Link = () => (
  <Icon>
    <path d="M8.4 11.6a3 3 0 0 0 4.3 0l2.7-2.7a3 3 0 1 0-4.3-4.3l-.9.9M11.6 8.4a3 3 0 0 0-4.3 0l-2.7 2.7a3 3 0 1 0 4.3 4.3l.9-.9" />
  </Icon>
);
export const Panel = () => <Icon><path d="M4 6h12M6.5 10h7M9 14h2" /></Icon>;
export const Chevron = () => <Icon><path d="m5 8 5 5 5-5" /></Icon>;
export const Target = () => (
  <Icon>
    <circle cx="10" cy="10" r="4.2" />
    <path d="M10 2.5v3.3M10 14.2v3.3M2.5 10h3.3M14.2 10h3.3" />
  </Icon>
);
export const Chart = () => <Icon><path d="M3.5 16.5h13M5.5 14v-4M9 14V5.5M12.5 14V8M16 14v-2.5" /></Icon>;
export const Columns = () => <Icon><rect x="3" y="4" width="14" height="12" rx="2" /><path d="M10 4v12" /></Icon>;
export const Linked = () => <Icon><path d="M7.5 6.5H6a3.5 3.5 0 0 0 0 7h1.5M12.5 6.5H14a3.5 3.5 0 0 1 0 7h-1.5M7.5 10h5" /></Icon>;
export const Unlinked = () => <Icon><path d="M7.5 6.5H6a3.5 3.5 0 0 0 0 7h1.5M12.5 6.5H14a3.5 3.5 0 0 1 0 7h-1.5M10 3.5v2M10 14.5v2" /></Icon>;
export const Ruler = () => <Icon><path d="m3 13.5 10.5-10.5 3.5 3.5-10.5 10.5zM6 10.5l1.5 1.5M8.5 8l2 2M11 5.5l1.5 1.5" /></Icon>;
export const Polygon = () => <Icon><path d="M4 6.5 11 3.5l5.5 5.5-3 7-9-1.5z" /><circle cx="4" cy="6.5" r="1.2" /><circle cx="11" cy="3.5" r="1.2" /><circle cx="16.5" cy="9" r="1.2" /></Icon>;
export const Shade = () => <Icon><circle cx="6.5" cy="6" r="2.5" /><path d="M6.5 1.5v.5M1.800 6h.6M3.200 2.700l.4.4M9.800 2.700l-.4.4M11 9.5h4v7h-4zM2.5 16.5H18" /></Icon>;
export const Inbox = () => <Icon><path d="M10 2.500v6.500M7 6.500 10 9.500l3-3M5.500 5.500H4.500L2.500 12v4.500h15V12l-2-6.500h-1M2.500 12H7l1 2h4l1-2h4.500" /></Icon>;
export const MapSheet = () => <Icon><path d="M3 5.5 7.500 3.500l5 2 4.500-2v11l-4.500 2-5-2L3 16.500zM7.500 3.500v11M12.500 5.500v11" /></Icon>;
export const Download = () => <Icon><path d="M10 3.5v9M6.5 9.5 10 13l3.5-3.5M4 16.5h12" /></Icon>;
export const Needle = ({ heading }: { heading: number }) => (
  <svg width="22" height="22" viewBox="0 0 22 22" aria-hidden="true" style={{ transform: `rotate(${-heading}deg)` }}>
    <path d="M11 2.5 14.2 11H7.8z" fill="var(--danger)" />
    <path d="M11 19.5 7.8 11h6.4z" fill="currentColor" opacity="0.45" />
  </svg>
);
