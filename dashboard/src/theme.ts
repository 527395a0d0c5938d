import { createTheme, localStorageColorSchemeManager } from '@mantine/core';
import type { MantineColorsTuple } from '@mantine/core';

const lake: MantineColorsTuple = ['#e6f6f8', '#d3e9ec', '#a8d3d9', '#79bcc5', '#53a9b4', '#3a9daa', '#2a8d9b', '#1c6e7d', '#145f6d', '#054d59'];

/** The greys of the dark colours, a little blue as the rest of the page is. */
const dark: MantineColorsTuple = ['#dbe4e8', '#b7c4ca', '#93a2a9', '#6b7b83', '#40505a', '#344249', '#202b31', '#182126', '#12191d', '#0d1316'];

export const theme = createTheme({
  primaryColor: 'lake',
  primaryShade: 7,
  colors: { lake, dark },
  fontFamily: "'Inter Variable', system-ui, -apple-system, 'Segoe UI', sans-serif",
  fontFamilyMonospace: "ui-monospace, 'SFMono-Regular', Menlo, Consolas, 'DejaVu Sans Mono', monospace",
  fontSizes: { xs: '0.75rem', sm: '0.8125rem', md: '0.875rem', lg: '1rem', xl: '1.25rem' },
  defaultRadius: 'sm',
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    Button: { defaultProps: { size: 'xs' } },
    ActionIcon: { defaultProps: { variant: 'subtle', color: 'gray' } },
    TextInput: { defaultProps: { size: 'xs' } },
    NumberInput: { defaultProps: { size: 'xs' } },
    Textarea: { defaultProps: { size: 'xs' } },
    Select: { defaultProps: { size: 'xs' } },
    MultiSelect: { defaultProps: { size: 'xs' } },
    TagsInput: { defaultProps: { size: 'xs' } },
    SegmentedControl: { defaultProps: { size: 'xs' } },
    Tooltip: { defaultProps: { openDelay: 300, withArrow: true } },
    Modal: { defaultProps: { centered: true, overlayProps: { backgroundOpacity: 0.45 }, transitionProps: { duration: 120 }, closeButtonProps: { 'aria-label': 'Close' } } },
    Drawer: { defaultProps: { closeButtonProps: { 'aria-label': 'Close' } } },
  },
});

/** scheme.js reads it before the first paint. */
export const schemes = localStorageColorSchemeManager({ key: 'sluice.scheme' });
