import { record } from './history.js';
import type { Converter } from './step.js';

export const convertMaintainer: Converter<'maintainer'> = (stage, { maintainer }, { options }) => {
  stage.image.author = maintainer;
  record(stage, `MAINTAINER ${maintainer}`, options.epoch);
};

/** Kept for builds on top of this image. */
export const convertOnBuild: Converter<'onbuild'> = (stage, { trigger }) => {
  stage.image.config.onBuild = [...stage.image.config.onBuild, trigger];
};
