// The page's own words in both languages; what the document says is shown as it is.

const WORDS = {
  en: {
    search: 'Find a path',
    count: (shown, all) => `${shown} of ${all} calls`,
    deprecated: 'use POST',
    parameters: 'Parameters',
    body: 'Body (JSON)',
    answers: 'Answers',
    required: 'required',
    inPath: 'in the path',
    inQuery: 'in the query',
    example: 'Example',
    failed: (why) => `The document cannot be shown: ${why}`,
  },
  zh: {
    search: '查找路径',
    count: (shown, all) => `共 ${all} 个接口，显示 ${shown} 个`,
    deprecated: '请用 POST',
    parameters: '参数',
    body: '请求体（JSON）',
    answers: '响应',
    required: '必填',
    inPath: '路径参数',
    inQuery: '查询参数',
    example: '示例',
    failed: (why) => `无法显示接口文档：${why}`,
  },
};

export const language = navigator.language.startsWith('zh') ? 'zh' : 'en';
export const words = WORDS[language];
