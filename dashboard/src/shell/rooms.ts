/** Where one can go, in the order of the menu, each with the letter that leads there after `g`. */
import type { IconName } from '../parts/icon';

export const ROOMS: readonly { readonly to: '/' | '/runs' | '/approvals' | '/batches' | '/schedules' | '/jobs' | '/settings'; readonly label: string; readonly icon: IconName; readonly key: string }[] = [
  { to: '/', label: 'Overview', icon: 'layoutDashboard', key: 'o' },
  { to: '/runs', label: 'Runs', icon: 'listDetails', key: 'r' },
  { to: '/approvals', label: 'Approvals', icon: 'checklist', key: 'a' },
  { to: '/batches', label: 'Batches', icon: 'stack2', key: 'b' },
  { to: '/schedules', label: 'Schedules', icon: 'calendarTime', key: 'd' },
  { to: '/jobs', label: 'Jobs', icon: 'tool', key: 'j' },
  { to: '/settings', label: 'Settings', icon: 'settings', key: 's' },
];
